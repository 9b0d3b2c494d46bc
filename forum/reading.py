"""How far each reader has read, what is unread, and what is new.

Unread is what a reader follows, by the topic or by its category, and has not read to its end. A row is kept for topics
that were opened or followed, nothing for single posts. `Reader.unread_floor` only bounds the search: nothing with an
older last post is unread. It is computed anew in the background, and what may lower it lowers it at once.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, F, FilteredRelation, IntegerField, Min, Q, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from forum.levels import newest_in
from forum.models import LISTED, Category, CategoryReader, Level, Reader, Topic, TopicQuerySet, TopicReader
from portal import notifying, trust
from portal.models import Asker, User

COUNTED = 100  # unread topics, beyond which a page says "99+"
NEW_SPAN = timedelta(days=2)
LONGEST_AWAY = timedelta(days=30)
A_VISIT = timedelta(hours=1)
LIFT_EVERY = timedelta(hours=1)  # as the upkeep of the relay does
LONGEST_ON_POST = 300  # seconds that count for one post: a page may stay open overnight


class Mark(NamedTuple):
    """How far a reader has read one topic, and at which level the reader follows it."""

    last_read: int
    level: Level


def mark(topic: Topic, reader: User, upto: int) -> int:
    """Note that the reader has read to this number; returns how many posts that is more than before."""
    now, upto = timezone.now(), max(min(upto, topic.last_number), 0)
    rows = TopicReader.objects.filter(user=reader, topic=topic)
    before = rows.values_list("last_read", flat=True).first()
    if before is None:
        TopicReader.objects.bulk_create(
            [TopicReader(user=reader, topic=topic, last_read=upto, visited_at=now)], ignore_conflicts=True
        )
    rows.update(last_read=Greatest("last_read", Value(upto)), visited_at=now)
    note_visit(reader, now)
    notifying.note_read(reader, place=f"topic:{topic.pk}", upto=upto)
    return max(upto - (before or 0), 0)


def note_reading(topic: Topic, reader: User, *, upto: int, seconds: int) -> None:
    """Note how far somebody has read a topic, and for trust how long that took."""
    more = mark(topic, reader, upto)
    if more:
        spent = min(seconds, more * LONGEST_ON_POST)
        trust.note_reading(reader, topics=1 if more >= min(upto, topic.last_number) else 0, posts=more, seconds=spent)


def note_visit(reader: User, now: datetime) -> None:
    """Note a sign of life; after a while without one, what began since the last one is new to the reader."""
    ended = Case(When(active_at__lt=now - A_VISIT, then=F("active_at")), default=F("seen_at"))
    if not Reader.objects.filter(pk=reader.pk).update(seen_at=ended, active_at=now):
        Reader.objects.bulk_create([Reader(user=reader, active_at=now)], ignore_conflicts=True)


def marks_of(topics: Iterable[Topic], reader: Asker) -> Mapping[int, Mark]:
    """Return the reader's marks of these topics by topic, in one query; topics without one were never opened."""
    if not reader.is_authenticated:
        return {}
    rows = TopicReader.objects.filter(user=reader, topic__in=[topic.pk for topic in topics])
    return {topic: Mark(read, Level(level)) for topic, read, level in rows.values_list("topic", "last_read", "level")}


def with_marks(topics: TopicQuerySet, reader: User) -> TopicQuerySet:
    """Join the reader's marks: `read` and `level`, None where the reader never opened the topic.

    Filter by these two: another look at `mine` would join the rows again.
    """
    mine = FilteredRelation("readers", condition=Q(readers__user=reader.pk))
    joined: TopicQuerySet = topics.annotate(mine=mine)  # a name that only annotations know, not the checker of types
    return joined.annotate(read=F("mine__last_read"), level=F("mine__level"))


def unread(reader: User, *, from_floor: bool = True) -> TopicQuerySet:
    """Return what the reader follows and has not read to its end, the latest first."""
    topics = with_marks(Topic.objects.filter(LISTED, _entered(reader)), reader)
    if from_floor:
        floor = Reader.objects.filter(pk=reader.pk).values_list("unread_floor", flat=True).first()
        topics = topics.filter(last_post__gt=floor) if floor else topics
    rows = list(CategoryReader.objects.filter(user=reader).values_list("category", "level", "read_floor"))
    followed = [category for category, level, _floor in rows if level >= Level.TRACKING]
    by_topic = Q(level__gte=Level.TRACKING)
    by_category = Q(category__in=followed) & (Q(level=None) | Q(level=Level.NORMAL))
    followed_ones = by_topic | by_category if followed else by_topic
    more = Q(last_number__gt=Coalesce("read", Value(0)))
    topics = topics.filter(followed_ones & more)
    for category, _level, floor in rows:
        if floor:
            topics = topics.exclude(category=category, last_post__lte=floor)
    return topics.order_by("-last_post")


def count_unread(reader: Asker) -> int:
    """Return how many topics are unread, at most COUNTED."""
    if not isinstance(reader, User):
        return 0
    return unread(reader)[:COUNTED].count()


def new(reader: User) -> TopicQuerySet:
    """Return topics that began lately, which the reader has never opened and does not mute, the newest first."""
    since = new_since(reader)
    muted = CategoryReader.objects.filter(user=reader, level=Level.MUTED).values("category")
    floors = CategoryReader.objects.filter(user=reader, read_floor__gt=0).values_list("category", "read_floor")
    topics = with_marks(Topic.objects.filter(LISTED, _entered(reader)), reader)
    unopened = Q(read=None, created_at__gt=since)
    topics = topics.filter(unopened).exclude(category__in=muted).exclude(author=reader)
    for category, floor in floors:
        topics = topics.exclude(category=category, last_post__lte=floor)
    return topics.order_by("-last_post")


def new_since(reader: User) -> datetime:
    """Return when what is new to the reader begins: two days ago, or when the reader was here last."""
    now = timezone.now()
    seen = Reader.objects.filter(pk=reader.pk).values_list("seen_at", flat=True).first()
    return max(min(seen or now, now - NEW_SPAN), now - LONGEST_AWAY)


def mark_category(category: Category, reader: User) -> None:
    """Let all that a category holds now count as read."""
    _raise_floors({category.pk: newest_in(category)}, reader)


def mark_all(reader: User) -> None:
    """Let all that the forum holds now count as read."""
    newest = newest_in()
    _raise_floors(dict.fromkeys(Category.objects.visible_to(reader).values_list("pk", flat=True), newest), reader)
    row, _created = Reader.objects.get_or_create(user=reader)
    Reader.objects.filter(pk=row.pk).update(unread_floor=Greatest("unread_floor", Value(newest)))


def lift_floor(reader: User) -> int:
    """Compute anew where the reader's unread topics begin; returns the floor."""
    newest = newest_in()
    oldest = unread(reader, from_floor=False).order_by().aggregate(oldest=Min("last_post"))["oldest"]
    floor = newest if oldest is None else min(newest, oldest - 1)
    Reader.objects.update_or_create(user=reader, defaults={"unread_floor": floor})
    return floor


def lift_floors(check: Callable[[], None] = lambda: None) -> int:
    """Lift the floors of those who read since the last time; returns of how many."""
    lately = timezone.now() - 2 * LIFT_EVERY
    readers = list(User.objects.filter(reader__active_at__gt=lately))
    for reader in readers:
        check()
        lift_floor(reader)
    return len(readers)


def _entered(reader: User) -> Q:
    return Q(category__in=Category.objects.visible_to(reader).values("pk"))


def _raise_floors(floors: Mapping[int, int], reader: User) -> None:
    rows = [CategoryReader(user=reader, category_id=category) for category in floors]
    CategoryReader.objects.bulk_create(rows, ignore_conflicts=True)
    whens = [When(category=category, then=Value(floor)) for category, floor in floors.items()]
    mine = CategoryReader.objects.filter(user=reader, category__in=floors)
    mine.update(read_floor=Greatest("read_floor", Case(*whens, default=Value(0), output_field=IntegerField())))
