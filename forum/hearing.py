"""What the forum says of who wants to hear of what: ignored people, muted topics, and who watches."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from forum import levels
from forum.models import CategoryReader, Ignoring, Level, Topic, TopicReader
from portal import broadcasting, notifying
from portal.models import User


def register() -> None:
    notifying.register_deaf(deaf)
    notifying.register_mute("topic", mute)
    broadcasting.register_watched("topic", watched)


def deaf(people: Collection[int], by: int | None, place: str) -> set[int]:
    """Return who of these people ignores that person or has muted the topic."""
    found: set[int] = set()
    if by is not None:
        found |= set(Ignoring.objects.filter(user__in=people, ignored=by).values_list("user", flat=True))
    kind, _colon, pk = place.partition(":")
    if kind == "topic":
        muted = TopicReader.objects.filter(topic=int(pk), user__in=people, level=Level.MUTED)
        found |= set(muted.values_list("user", flat=True))
        found |= _deaf_to_category(people, int(pk))
    return found


def _deaf_to_category(people: Collection[int], topic: int) -> set[int]:
    """Return who has muted the category of a topic, without those who follow the topic all the same."""
    muted = CategoryReader.objects.filter(category__topics=topic, user__in=people, level=Level.MUTED)
    found = set(muted.values_list("user", flat=True))
    if not found:
        return found
    follow = TopicReader.objects.filter(topic=topic, user__in=found, level__gte=Level.TRACKING)
    return found - set(follow.values_list("user", flat=True))


def mute(place: str, by: User) -> bool:
    """Mute a topic that is there for the person; says whether it did."""
    topic = Topic.objects.visible_to(by).filter(pk=int(place.partition(":")[2])).first()
    if topic is not None:
        levels.set_level(topic, by, Level.MUTED)
    return topic is not None


def watched(topics: Collection[int], reader: User) -> dict[int, datetime | None]:
    """Return which of these topics the reader watches, by the topic or by its category."""
    own = dict(TopicReader.objects.filter(topic__in=topics, user=reader).values_list("topic", "level"))
    whole = CategoryReader.objects.filter(user=reader, level=Level.WATCHING).values("category")
    rows = Topic.objects.filter(Q(category__in=whole) | Q(pk__in=own), pk__in=topics).values_list("pk", "category")
    categories = set(whole.values_list("category", flat=True))
    found: dict[int, datetime | None] = {}
    for pk, category in rows:
        level = own.get(pk, Level.NORMAL)
        if level == Level.WATCHING or (level == Level.NORMAL and category in categories):
            found[pk] = None
    return found
