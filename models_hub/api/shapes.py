"""What repositories and what is in them look like in the REST API."""

from typing import Any

from rest_framework import serializers

from models_hub.browsing import Entry
from models_hub.models import AccessRequest, Collection, CollectionItem, Commit, Ref, Repo
from portal.api.reserved_names import ReservedNames
from portal.api.shapes import PersonShape


class RepoShape(serializers.ModelSerializer[Repo]):
    """A repository: what it declares, and what was counted in its files."""

    name = serializers.CharField(source="full_name")
    owner = serializers.CharField(source="namespace.name")
    url = serializers.CharField(source="path", help_text="The address of its page, without the host.")
    languages = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    dtypes = serializers.DictField(child=serializers.IntegerField(), help_text="Parameters by type of number.")
    formats = serializers.ListField(child=serializers.CharField())
    precisions = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Repo
        fields: tuple[str, ...] = (
            "kind", "name", "owner", "url", "description", "private", "gated", "task", "library", "license",
            "license_class", "languages", "tags", "architecture", "context_length", "vocabulary", "parameters",
            "dtypes", "formats", "precisions", "memory_bytes", "size", "best_score", "downloads",
            "downloads_all_time", "likes", "created_at", "updated_at", "head",
        )  # fmt: skip


class FacetValueShape(serializers.Serializer[Any]):
    """One value of a facet, as the filter of its name takes it, and how many would be left with it."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class FacetShape(serializers.Serializer[Any]):
    """One facet; its name is that of a filter of the list."""

    name = serializers.CharField()
    values = FacetValueShape(many=True)


class FacetsShape(serializers.Serializer[Any]):
    """How many repositories fit, and what they could be narrowed by."""

    count = serializers.IntegerField()
    facets = FacetShape(many=True)


class WholeRepoShape(RepoShape):
    """A repository with its card, and what the caller may do with it."""

    card = serializers.DictField()
    citation = serializers.CharField()
    may_write = serializers.SerializerMethodField()
    may_manage = serializers.SerializerMethodField()
    liked = serializers.SerializerMethodField()

    class Meta(RepoShape.Meta):
        fields = (*RepoShape.Meta.fields, "card", "citation", "may_write", "may_manage", "liked")

    def get_may_write(self, _repo: Repo) -> bool:
        return bool(self.context["may_write"])

    def get_may_manage(self, _repo: Repo) -> bool:
        return bool(self.context["may_manage"])

    def get_liked(self, _repo: Repo) -> bool:
        return bool(self.context["liked"])


class RefShape(serializers.ModelSerializer[Ref]):
    """A branch or a tag."""

    name = serializers.CharField(source="short_name")
    ref = serializers.CharField(source="name")
    commit = serializers.CharField(source="oid")

    class Meta:
        model = Ref
        fields = ("name", "ref", "commit", "message", "updated_at")


class RefsShape(serializers.Serializer[Any]):
    """All branches and tags."""

    branches = RefShape(many=True)
    tags = RefShape(many=True)


class VersionShape(serializers.Serializer[Any]):
    """A tag with what is said of it; `published_at` is null where nothing is, and the notes are the tag's message."""

    tag = serializers.CharField(source="name")
    commit = serializers.CharField(source="commit.oid")
    title = serializers.CharField(source="release.title", default="")
    notes = serializers.CharField()
    is_preview = serializers.BooleanField()
    changes_weights = serializers.BooleanField(help_text="Whether its weights differ from those of the version before.")
    commits = serializers.IntegerField(source="changed.commits", help_text="Since the version before.")
    files = serializers.IntegerField(source="changed.files", help_text="That came, went or changed since then.")
    author = serializers.CharField(source="release.author.username", default=None, allow_null=True)
    published_at = serializers.DateTimeField(source="release.created_at", default=None, allow_null=True)
    edited_at = serializers.DateTimeField(source="release.edited_at", default=None, allow_null=True)


class CommitShape(serializers.ModelSerializer[Commit]):
    """One commit; `id` is git's own."""

    id = serializers.CharField(source="oid")
    parents = serializers.ListField(child=serializers.CharField())
    author = serializers.CharField(source="author.username", default=None, allow_null=True)

    class Meta:
        model = Commit
        fields = ("id", "parents", "title", "description", "author", "author_name", "authored_at")


class EntryShape(serializers.Serializer[Entry]):
    """A file or folder of one revision. `sha256` is there for large files alone."""

    path = serializers.CharField()
    is_folder = serializers.BooleanField()
    id = serializers.CharField(source="oid", help_text="git’s id of the entry.")
    size = serializers.IntegerField()
    sha256 = serializers.CharField(source="blob.sha256", default=None, allow_null=True)


class TreeShape(serializers.Serializer[Any]):
    """Entries below a folder, at one commit."""

    commit = serializers.CharField()
    next = serializers.URLField(allow_null=True)
    results = EntryShape(many=True)


class LikesShape(serializers.ModelSerializer[Repo]):
    """How many like a repository."""

    class Meta:
        model = Repo
        fields = ("likes",)


class AccessRequestShape(ReservedNames, serializers.ModelSerializer[AccessRequest]):
    """One person's request to download from a gated repository; `fields` are the answers that its card asks for."""

    id = serializers.IntegerField()
    person = PersonShape(source="user")
    fields_ = serializers.DictField()

    class Meta:
        model = AccessRequest
        fields = ("id", "person", "status", "fields_", "rejection_reason", "created_at")


class ItemShape(serializers.ModelSerializer[CollectionItem]):
    """One thing in a collection: a repository, or another collection."""

    id = serializers.CharField(source="wire_id")
    type = serializers.CharField()
    name = serializers.SerializerMethodField(help_text="The full name, or the slug of a collection.")

    class Meta:
        model = CollectionItem
        fields = ("id", "type", "name", "position", "note")

    def get_name(self, item: CollectionItem) -> str:
        return item.repo.full_name if item.repo else item.target.slug


class CollectionShape(serializers.ModelSerializer[Collection]):
    """A collection; `items` are those that the caller may see, of which a list shows the first four."""

    slug = serializers.CharField()
    owner = serializers.CharField()
    items = ItemShape(many=True, source="shown_items")
    item_count = serializers.IntegerField(source="shown_count")

    class Meta:
        model = Collection
        fields = (
            "slug", "owner", "title", "description", "theme", "private", "upvotes", "created_at", "updated_at",
            "item_count", "items",
        )  # fmt: skip
