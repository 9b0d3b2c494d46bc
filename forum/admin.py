"""Look and search. Posts are written by people, and moderated on pages of their own."""

from forum.models import Attachment, Category, Poll, Post, Steward, Tag, Topic
from portal.administration import look

look(Category, "slug", "title_en", "title_zh", "readers", "topic_count", "post_count", "archived_at",
     search=("slug", "title_en", "title_zh"), filters=("readers",))  # fmt: skip
look(Steward, "category", "user", "appointed_by", "until", search=("user__username", "category__slug"))
look(Topic, "id", "title", "category", "repo", "kind", "status", "author", "comments", "last_post_at", "hidden_at",
     search=("title", "author__username"), filters=("kind", "status", "is_pull_request", "category"),
     related=("repo__namespace",))  # fmt: skip
look(Post, "id", "topic", "number", "kind", "author", "created_at", "edited_at", "hidden_at", "held_at",
     search=("author__username",), filters=("kind",), hidden=("html",),
     related=("topic__repo__namespace",))  # fmt: skip
look(Tag, "name", "topic_count", search=("name",))
look(Poll, "id", "topic", "question", "voters", "closes_at", search=("question",), related=("topic__repo__namespace",))
look(Attachment, "key", "format", "size", "owner", "created_at", "withdrawn_at", search=("key", "owner__username"),
     filters=("format",))  # fmt: skip
