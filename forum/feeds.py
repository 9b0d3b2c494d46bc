"""What feeds of the forum hold: the newest topics and posts that anybody may see, whoever asks."""

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from forum.models import LISTED, Category, Post, Topic, TopicQuerySet
from portal.models import User

FED = 20
_NOBODY = AnonymousUser()


def rooms() -> list[int]:
    """Return the categories that everybody may read: a feed has no reader, and its address is passed on."""
    return list(Category.objects.visible_to(_NOBODY).values_list("pk", flat=True))


def newest(topics: TopicQuerySet) -> Sequence[Post]:
    """Return the opening posts of the newest of these topics, in two queries."""
    chosen = topics.filter(LISTED, category__in=rooms()).order_by("-pk").values_list("pk", flat=True)[:FED]
    opening = Post.objects.filter(topic__in=list(chosen), number=1, hidden_at=None, held_at=None)
    return _fed(opening.order_by("-topic"))


def of_topic(pk: int) -> Sequence[Post]:
    """Return the newest posts of a topic, [] of one that is not for everybody."""
    seen = Topic.objects.filter(LISTED, category__in=rooms(), pk=pk)
    return _fed(_shown().filter(topic__in=seen).order_by("-number")[:FED])


def of_author(author: User) -> Sequence[Post]:
    """Return the newest posts of a person in the forum."""
    topics = Topic.objects.filter(LISTED, category__in=rooms())
    return _fed(_shown().filter(author=author, topic__in=topics).order_by("-pk")[:FED])


def _shown() -> QuerySet[Post]:
    return Post.objects.filter(kind=Post.Kind.COMMENT, hidden_at=None, held_at=None)


def _fed(posts: QuerySet[Post]) -> Sequence[Post]:
    return list(posts.select_related("topic__category", "topic__repo", "author"))
