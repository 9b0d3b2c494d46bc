"""Forms that were sent twice: the second sending finds what the first one made, and makes nothing."""

from datetime import timedelta

from django.utils import timezone

from forum.models import Category, Post, Topic
from models_hub.models import Repo
from portal.models import Asker, User

SPAN = timedelta(minutes=1)


def post_of(topic: Topic, *, by: Asker, text: str) -> Post | None:
    """Return the answer with this text that was the last thing the person said, in this topic, a moment ago."""
    post = _last_of(by, text)
    return post if post is not None and post.topic_id == topic.pk and post.number > 1 else None


def topic_in(place: Category | Repo, *, by: Asker, title: str, text: str) -> Topic | None:
    """Return the topic with this title and text that was the last thing the person said, a moment ago, here."""
    post = _last_of(by, text)
    if post is None or post.number > 1 or post.topic.title != " ".join(title.split()):
        return None
    is_here = place in (post.topic.category, post.topic.repo)
    return post.topic if is_here and post.topic.deleted_at is None else None


def _last_of(by: Asker, text: str) -> Post | None:
    if not isinstance(by, User):
        return None
    about = ("topic__category", "topic__repo__namespace")
    post = Post.objects.filter(author=by).select_related(*about).order_by("-pk").first()
    is_same = post is not None and post.kind == Post.Kind.COMMENT and post.text == text.strip() and not post.is_hidden
    return post if is_same and post is not None and post.created_at > timezone.now() - SPAN else None
