"""What conversations look like in the REST API."""

from typing import Any

from rest_framework import serializers

from forum import showing
from forum.models import Post, Topic
from models_hub.approving import Said
from models_hub.models import PullRequest, Review
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
        fields: tuple[str, ...] = (
            "id", "number", "kind", "author", "text", "html", "facts", "is_hidden", "created_at", "edited_at",
        )  # fmt: skip

    def get_text(self, post: Post) -> str:
        return "" if post.is_hidden else post.text

    def get_html(self, post: Post) -> str:
        return "" if post.is_hidden else showing.plain(post.html)


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


class ReviewShape(serializers.Serializer[Said]):
    """What somebody last said. Of those who may write and wrote none of it, it counts until new commits come."""

    reviewer = PersonShape(source="review.reviewer")
    verdict = serializers.ChoiceField(choices=Review.Verdict.choices, source="review.verdict")
    head = serializers.CharField(source="review.oid", help_text="The commit that was looked at.")
    created_at = serializers.DateTimeField(source="review.created_at")
    is_current = serializers.BooleanField(help_text="No commits came since.")
    counts = serializers.BooleanField(help_text="The rules of the branch heed it.")


class ReviewsShape(serializers.Serializer[Any]):
    """The reviews of a pull request as they stand; `lacking` says what keeps you from merging it now."""

    head = serializers.CharField()
    reviews = ReviewShape(many=True)
    approvers = serializers.ListField(child=serializers.CharField())
    objectors = serializers.ListField(child=serializers.CharField())
    lacking = serializers.ListField(child=serializers.CharField())


class MergedShape(serializers.Serializer[Any]):
    """The commit that brought a change into its branch."""

    status = serializers.CharField()
    merge_commit = serializers.CharField()
