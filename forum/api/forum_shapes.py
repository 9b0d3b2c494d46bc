"""What the forum looks like in the REST API."""

from typing import Any

from rest_framework import serializers

from forum.api.shapes import PostShape
from forum.models import Bookmark, Category, Draft, Post, Topic
from portal.api.shapes import PersonShape


class CategoryShape(serializers.ModelSerializer[Category]):
    """A room of the forum, its texts in the language of the request."""

    title = serializers.CharField()
    about = serializers.CharField()

    class Meta:
        model = Category
        fields = ("slug", "title", "about", "readers", "staff_open", "asks_questions", "topic_count", "post_count")


class ForumTopicShape(serializers.ModelSerializer[Topic]):
    """A topic of the forum; `accepted` is the id of the post that solved a question, `about` a key such as repo:7."""

    author = PersonShape(allow_null=True)
    category = serializers.CharField(source="category.slug")
    tags = serializers.SerializerMethodField()
    path = serializers.CharField()
    accepted = serializers.IntegerField(source="accepted_id", allow_null=True)
    is_held = serializers.SerializerMethodField(help_text="It waits for a moderator.")

    class Meta:
        model = Topic
        fields = (
            "id", "title", "kind", "category", "status", "author", "tags", "about", "comments", "likes", "views",
            "accepted", "is_held", "path", "created_at", "last_post_at",
        )  # fmt: skip

    def get_tags(self, topic: Topic) -> list[str]:
        return sorted(link.tag.name for link in topic.tag_links.all())

    def get_is_held(self, topic: Topic) -> bool:
        return topic.held_at is not None


class ForumPostShape(PostShape):
    """A post of a topic, or a note of what was done; `reactions` counts each kind."""

    reactions = serializers.DictField(child=serializers.IntegerField())
    reply_to = serializers.IntegerField(source="reply_to_id", allow_null=True)
    is_held = serializers.SerializerMethodField(help_text="It waits for a moderator.")
    revision = serializers.CharField(help_text="Names the text; give it back with another one.")

    class Meta(PostShape.Meta):
        model = Post
        fields = (*PostShape.Meta.fields, "reactions", "reply_to", "is_held", "revision")

    def get_is_held(self, post: Post) -> bool:
        return post.held_at is not None


class PollInput(serializers.Serializer[Any]):
    """A poll of a new topic."""

    question = serializers.CharField(max_length=200)
    options = serializers.ListField(child=serializers.CharField(max_length=200), min_length=2, max_length=20)
    max_choices = serializers.IntegerField(default=1, min_value=1)
    closes_at = serializers.DateTimeField(default=None, allow_null=True)


class ForumTopicInput(serializers.Serializer[Any]):
    """A topic that is to be."""

    category = serializers.SlugField(max_length=40)
    title = serializers.CharField(max_length=300)
    text = serializers.CharField(max_length=65_536)
    kind = serializers.ChoiceField(choices=["", "discussion", "question"], default="", allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=5)
    about = serializers.CharField(max_length=60, default="", allow_blank=True)
    poll = PollInput(default=None, allow_null=True)


class ForumTopicChanges(serializers.Serializer[Any]):
    """What becomes another in a topic; `reason` is said in the note of it."""

    title = serializers.CharField(max_length=300, required=False)
    status = serializers.ChoiceField(choices=["open", "closed"], required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=5)
    kind = serializers.ChoiceField(choices=["discussion", "question"], required=False)
    category = serializers.SlugField(max_length=40, required=False)
    slow_seconds = serializers.IntegerField(required=False, min_value=0, max_value=86_400)
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)


class ForumPostInput(serializers.Serializer[Any]):
    """An answer; `reply_to` is the id of the post that it answers."""

    text = serializers.CharField(max_length=65_536)
    reply_to = serializers.IntegerField(default=None, allow_null=True)


class ForumPostChanges(serializers.Serializer[Any]):
    """The new words of a post."""

    text = serializers.CharField(max_length=65_536)
    revision = serializers.CharField(
        max_length=16,
        required=False,
        allow_blank=True,
        default="",
        help_text="That of the post you changed; 409 if it has another now.",
    )


class SplitInput(serializers.Serializer[Any]):
    """Numbers of posts that become a topic of their own."""

    numbers = serializers.ListField(child=serializers.IntegerField(min_value=2), min_length=1, max_length=500)
    title = serializers.CharField(max_length=300)
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)


class MergeTopicsInput(serializers.Serializer[Any]):
    """The topic that takes the posts of this one."""

    into = serializers.IntegerField(min_value=1)
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)


class ChoiceShape(serializers.Serializer[Any]):
    """A choice of a poll; votes only for those who voted, or once it is over."""

    id = serializers.IntegerField(source="pk")
    text = serializers.CharField()
    chosen = serializers.BooleanField()
    votes = serializers.IntegerField(allow_null=True)


class PollShape(serializers.Serializer[Any]):
    """A poll as you see it."""

    question = serializers.CharField(source="poll.question")
    max_choices = serializers.IntegerField(source="poll.max_choices")
    closes_at = serializers.DateTimeField(source="poll.closes_at", allow_null=True)
    voters = serializers.IntegerField(source="poll.voters")
    is_over = serializers.BooleanField()
    choices = ChoiceShape(many=True)


class VoteInput(serializers.Serializer[Any]):
    """The ids of the choices; none takes the vote back."""

    options = serializers.ListField(child=serializers.IntegerField(), max_length=20)


class BookmarkShape(serializers.ModelSerializer[Bookmark]):
    """A post that you keep."""

    post = serializers.IntegerField(source="post_id")
    path = serializers.CharField(source="post.path")

    class Meta:
        model = Bookmark
        fields = ("id", "post", "path", "note", "remind_at", "created_at")


class BookmarkInput(serializers.Serializer[Any]):
    """What a bookmark is for, and when to be reminded."""

    note = serializers.CharField(max_length=200, default="", allow_blank=True)
    remind_at = serializers.DateTimeField(default=None, allow_null=True)


class DraftShape(serializers.ModelSerializer[Draft]):
    """An unfinished text; `sequence` counts its savings."""

    class Meta:
        model = Draft
        fields = ("key", "title", "text", "sequence", "updated_at")


class DraftInput(serializers.Serializer[Any]):
    """An unfinished text; with a `sequence` that is not above the kept one it is refused."""

    title = serializers.CharField(max_length=300, default="", allow_blank=True)
    text = serializers.CharField(max_length=65_536, default="", allow_blank=True)
    sequence = serializers.IntegerField(default=None, allow_null=True, min_value=1)
