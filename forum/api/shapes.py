"""What conversations look like in the REST API."""

from typing import Any

from rest_framework import serializers

from forum.models import Post, Topic
from models_hub.models import PullRequest
from portal.api.shapes import PersonShape


class TopicShape(serializers.ModelSerializer[Topic]):
    """A discussion or pull request as lists show it."""

    author = PersonShape(allow_null=True)

    class Meta:
        model = Topic
        fields: tuple[str, ...] = (
            "number", "title", "status", "is_pull_request", "author", "comments", "created_at", "last_post_at",
        )  # fmt: skip


class PostShape(serializers.ModelSerializer[Post]):
    """A comment, or a note of what was done, whose facts are in `facts`. A hidden one has no text."""

    author = PersonShape(allow_null=True)
    text = serializers.SerializerMethodField()
    html = serializers.SerializerMethodField()
    facts = serializers.DictField(source="data")
    is_hidden = serializers.BooleanField()

    class Meta:
        model = Post
        fields = ("id", "number", "kind", "author", "text", "html", "facts", "is_hidden", "created_at", "edited_at")

    def get_text(self, post: Post) -> str:
        return "" if post.is_hidden else post.text

    def get_html(self, post: Post) -> str:
        return "" if post.is_hidden else post.html


class ChangeShape(serializers.ModelSerializer[PullRequest]):
    """What a pull request would change. `obstacle` says why it cannot be merged, such as that its branch is gone."""

    ref = serializers.CharField()
    conflicts = serializers.ListField(child=serializers.CharField(), help_text="Paths that both sides changed.")
    obstacle = serializers.CharField()

    class Meta:
        model = PullRequest
        fields = ("base", "ref", "status", "merge_commit", "conflicts", "obstacle")


class WholeTopicShape(TopicShape):
    """A discussion, and of a pull request the change."""

    change = ChangeShape(allow_null=True)

    class Meta(TopicShape.Meta):
        fields = (*TopicShape.Meta.fields, "change")


class MergedShape(serializers.Serializer[Any]):
    """The commit that brought a change into its branch."""

    status = serializers.CharField()
    merge_commit = serializers.CharField()
