"""Collections: repositories that somebody has put together, in an order, each with a note."""

from typing import Any

from django.db import models
from django.db.models import Count, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from models_hub.models.repos import Repo
from portal.models import Asker, Membership, Namespace, User
from portal.reach import reach_of

MAX_TITLE = 60
MAX_DESCRIPTION = 150
MAX_NOTE = 500
THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")


class CollectionQuerySet(models.QuerySet["Collection"]):
    def owned_by(self, namespace: str) -> "CollectionQuerySet":
        return self.none() if "\x00" in namespace else self.filter(namespace__lower=namespace.lower())

    def visible_to(self, user: Asker) -> "CollectionQuerySet":
        """Public collections, and private ones of the user and of the user's organizations."""
        public = Q(private=False)
        if not user.is_authenticated:
            return self.filter(public)
        owned = Q()
        if not user.is_superuser:
            organizations = Membership.objects.filter(user_id=user.pk).values("organization_id")
            owned = Q(namespace__user_id=user.pk) | Q(namespace__organization_id__in=organizations)
        reach = reach_of(user)
        if reach is not None and not reach.everywhere and "collections" not in reach.account:
            owned &= Q(namespace_id__in=list(reach.namespaces))
        return self.filter(public | owned) if owned else self

    def with_items(self, user: Asker, most: int | None = None) -> "CollectionQuerySet":
        """Load `shown_items`, at most so many that `user` may see, and `shown_count`, how many there are."""
        shown = CollectionItem.objects.visible_to(user)
        counted = shown.filter(collection=OuterRef("pk")).order_by().values("collection").annotate(n=Count("pk"))
        items = shown.select_related("repo__namespace", "linked__namespace")[:most]
        return (
            self.select_related("namespace")
            .annotate(shown_count=Coalesce(Subquery(counted.values("n")), 0))
            .prefetch_related(Prefetch("items", items, to_attr="shown_items"))
        )

    def listed(self) -> "CollectionQuerySet":
        """In the order that their owner gave them."""
        return self.order_by("position", "id")


class Collection(models.Model):
    """A titled list of repositories and of other collections."""

    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="collections")
    title = models.CharField(_("title"), max_length=MAX_TITLE)
    description = models.CharField(_("description"), max_length=MAX_DESCRIPTION, blank=True)
    theme = models.CharField(max_length=10, choices=[(name, name) for name in THEMES], default=THEMES[0])
    private = models.BooleanField(default=False)
    position = models.IntegerField(default=0)  # among the collections of its owner
    upvotes = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("-updated_at", "-id"), name="collection_latest"),
            models.Index(fields=("-upvotes", "-id"), name="collection_upvoted"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def slug(self) -> str:
        """`owner/title-24hexdigits`: only the digits count, so a new title leaves old addresses good."""
        words = slugify(self.title)[:60].strip("-") or "collection"
        return f"{self.namespace.name}/{words}-{self.pk:024x}"

    @property
    def owner(self) -> str:
        return self.namespace.name

    @property
    def tail(self) -> str:
        """The slug without its owner, as addresses have it."""
        return self.slug.partition("/")[2]

    @property
    def path(self) -> str:
        return f"/collections/{self.slug}"


class CollectionItemQuerySet(models.QuerySet["CollectionItem"]):
    def visible_to(self, user: Asker) -> "CollectionItemQuerySet":
        """Items whose repository or collection `user` may see, in their order."""
        repos, collections = Repo.objects.visible_to(user), Collection.objects.visible_to(user)
        return self.filter(Q(repo__in=repos) | Q(linked__in=collections)).order_by("position", "id")


class CollectionItem(models.Model):
    """One thing in a collection: a repository or another collection."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="items")
    repo = models.ForeignKey(Repo, models.CASCADE, null=True, related_name="+")
    linked = models.ForeignKey(Collection, models.CASCADE, null=True, related_name="+")
    position = models.IntegerField(default=0)
    note = models.CharField(max_length=MAX_NOTE, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CollectionItemQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(repo__isnull=True) ^ Q(linked__isnull=True), name="collection_item_is_one_thing"
            ),
            models.UniqueConstraint(fields=("collection", "repo"), name="collection_repo_once"),
            models.UniqueConstraint(fields=("collection", "linked"), name="collection_linked_once"),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def target(self) -> Any:
        return self.repo or self.linked

    @property
    def wire_id(self) -> str:
        return f"{self.pk:024x}"

    @property
    def type(self) -> str:
        return self.repo.kind if self.repo else "collection"

    @property
    def label(self) -> str:
        return self.repo.full_name if self.repo else str(self.linked)


class CollectionUpvote(models.Model):
    """One person likes one collection."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="votes")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("collection", "user"), name="collection_upvote_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} upvotes {self.collection_id}"
