"""Lists of topics: of the forum, a category or a tag; the latest, the most liked, questions without an answer.

A list never looks at posts. Its pages begin at a `last_post`, which only grows and is no two topics', so that every
page is one range of one index, however deep it lies.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F, FilteredRelation, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from forum import briefly, reading
from forum.ages import age
from forum.models import LISTED, Category, CategoryReader, Level, Tag, Topic, TopicQuerySet, TopicTag
from forum.reading import Mark
from portal.errors import NotFound
from portal.models import Asker, User

PAGE = 30
TAGS = 300
# The most liked of a short span are looked for among so many of the newest topics.
NEWEST = 5_000
MONTH = timedelta(days=30)
SPANS = {"week": timedelta(days=7), "month": MONTH, "year": timedelta(days=365), "all": None}
SPAN_NAMES = {"week": _("this week"), "month": _("this month"), "year": _("this year"), "all": _("all time")}
SHOWN = {
    "latest": _("Latest"),
    "top": _("Top"),
    "unanswered": _("No answer yet"),
    "unsolved": _("Unsolved"),
    "solved": _("Solved"),
}


@dataclass(frozen=True)
class Wanted:
    """Which topics a reader asked for; `before` and `after` are last posts between which the page lies."""

    show: str = "latest"
    span: str = "month"
    category: Category | None = None
    tag: Tag | None = None
    before: int | None = None
    after: int | None = None

    @property
    def is_first(self) -> bool:
        return self.before is None and self.after is None


class Row(NamedTuple):
    """One line of a list: all that is shown, so that two equal ones look the same."""

    pk: int
    path: str
    title: str
    kind: str
    is_solved: bool
    is_closed: bool
    is_pinned: bool
    room: tuple[str, str, str] | None  # path, title and colour of the category, where it says something
    tags: tuple[str, ...]
    people: tuple[str, ...]
    poster: str
    comments: int
    likes: int
    views: int
    age: str
    last_at: datetime
    unread: int
    read: int
    is_new: bool
    is_muted: bool

    @property
    def resume(self) -> str:
        """Where the reader goes on reading."""
        return f"{self.path}?post={self.read + 1}#post-{self.read + 1}" if self.unread and self.read else self.path


@dataclass(frozen=True)
class Page:
    """One page of topics; `older` and `newer` are where the neighbouring pages begin."""

    pinned: Sequence[Row]
    rows: Sequence[Row]
    older: int | None = None
    newer: int | None = None


def categories(reader: Asker) -> list[Category]:
    """Return the rooms that the reader may enter, each with the reader's own `level` and `floor`."""
    role = "staff" if reader.is_staff else "member" if reader.is_authenticated else "nobody"
    rooms = briefly.kept(("rooms", role), lambda: list(Category.objects.visible_to(reader)))
    if not isinstance(reader, User):
        return rooms
    rows = CategoryReader.objects.filter(user=reader).values_list("category", "level", "read_floor")
    mine = {category: (level, floor) for category, level, floor in rows}
    return [_with(room, *mine.get(room.pk, (None, None))) for room in rooms]


def _with(room: Category, level: int | None, floor: int | None) -> Category:
    """Return a copy of a room that knows its reader."""
    own = copy(room)
    vars(own).update(level=level, floor=floor)
    return own


def page(reader: Asker, wanted: Wanted, rooms: Sequence[Category]) -> Page:
    """Return a page of topics; `rooms` are all that the reader may enter."""
    places = tuple(room.pk for room in rooms)
    found = briefly.kept(("topics", wanted, places), lambda: _found(wanted, places))
    rows = _rows(found, reader, rooms, wanted)
    return Page(rows[: len(found.pinned)], rows[len(found.pinned) :], found.older, found.newer)


def latest(reader: Asker, rooms: Sequence[Category], limit: int) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return what is pinned everywhere and the latest topics, for the first page of the forum."""
    shown = page(reader, Wanted(), rooms)
    return shown.pinned, shown.rows[:limit]


def rows_of(topics: Sequence[Topic], reader: Asker, rooms: Sequence[Category]) -> Sequence[Row]:
    """Return lines of topics that were found with the reader's marks, in their order."""
    marks = {topic.pk: _mark_in(vars(topic)) for topic in topics}
    return _rows(_Found(topics, (), _names(topics), _tags_of(topics)), reader, rooms, Wanted(), marks)


def _mark_in(facts: Mapping[str, Any]) -> Mark | None:
    return None if facts.get("read") is None else Mark(facts["read"], Level(facts["level"]))


def tags(reader: Asker, *, start: str = "", most: int = TAGS) -> list[Tag]:
    """Return the tags in use that begin so, the most used first: only those of topics that the reader sees."""
    return list(_tags_seen(reader).filter(name__startswith=start).order_by("-topic_count", "name")[:most])


def tag(name: str, reader: Asker) -> Tag:
    """Return a tag of topics that the reader sees; raises NotFound."""
    found = _tags_seen(reader).filter(name=name.lower()).first()
    if found is None:
        raise NotFound(gettext("There is no such tag."))
    return found


def _tags_seen(reader: Asker) -> QuerySet[Tag]:
    rooms = Category.objects.visible_to(reader).values("pk")
    seen = TopicTag.objects.filter(topic__category__in=rooms, topic__hidden_at=None, topic__held_at=None)
    return Tag.objects.filter(topic_count__gt=0, pk__in=seen.filter(topic__deleted_at=None).values("tag"))


@dataclass(frozen=True)
class _Found:
    """The topics of a page with what is said of them, for whoever may enter the same rooms; the pinned ones first."""

    topics: Sequence[Topic]
    pinned: Collection[int]
    names: Mapping[int, str]
    tags: Mapping[int, tuple[str, ...]]
    older: int | None = None
    newer: int | None = None


def _found(wanted: Wanted, places: Sequence[int]) -> _Found:
    if wanted.show == "top":
        top = _top(wanted, places)
        return _Found(top, (), _names(top), _tags_of(top))
    found, has_more = _range(_shown(_among(wanted, places), wanted.show), wanted)
    older = _key(found[-1]) if found and (has_more or wanted.after is not None) else None
    newer = _key(found[0]) if found and (has_more if wanted.after is not None else wanted.before is not None) else None
    shows_pinned = wanted.is_first and wanted.show == "latest" and wanted.tag is None
    pinned = list(_pinned(wanted, places)) if shows_pinned else []
    held = {topic.pk for topic in pinned}
    topics = [*pinned, *(topic for topic in found if topic.pk not in held)]
    return _Found(topics, held, _names(topics), _tags_of(topics), older, newer)


def _among(wanted: Wanted, places: Sequence[int]) -> TopicQuerySet:
    """Return the topics among which the page lies."""
    chosen = [wanted.category.pk] if wanted.category else places
    topics = Topic.objects.filter(LISTED, last_post__isnull=False, category__in=chosen)
    if wanted.tag is None:
        return topics
    # The one row that gives a topic this tag, by a name: each other look at the rows would join them again.
    named: TopicQuerySet = topics.annotate(link=FilteredRelation("tag_links", condition=Q(tag_links__tag=wanted.tag)))
    bearing: TopicQuerySet = named.annotate(latest=F("link__last_post_id"))
    return bearing.filter(Q(latest__isnull=False))


def _shown(topics: TopicQuerySet, show: str) -> TopicQuerySet:
    questions = topics.filter(kind=Topic.Kind.QUESTION)
    if show == "unanswered":
        return questions.filter(comments=0)
    if show == "unsolved":
        return questions.filter(accepted=None)
    return questions.filter(accepted__isnull=False) if show == "solved" else topics


def _range(topics: TopicQuerySet, wanted: Wanted) -> tuple[list[Topic], bool]:
    """Return the topics of a page, the latest first, and whether there are more in its direction."""
    # The copy of the sort key that a tag's index holds, where the list is a tag's.
    key = "latest" if wanted.tag else "last_post"
    if wanted.after is not None:
        found = list(topics.filter(**{f"{key}__gt": wanted.after}).order_by(key)[: PAGE + 1])
        return found[:PAGE][::-1], len(found) > PAGE
    if wanted.before is not None:
        topics = topics.filter(**{f"{key}__lt": wanted.before})
    found = list(topics.order_by(f"-{key}")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def _key(topic: Topic) -> int:
    return topic.last_post_id or 0


def _pinned(wanted: Wanted, places: Sequence[int]) -> TopicQuerySet:
    topics = _among(wanted, places).filter(pinned_until__gt=timezone.now())
    return (topics if wanted.category else topics.filter(pinned_everywhere=True)).order_by("-last_post")[:10]


def _top(wanted: Wanted, places: Sequence[int]) -> list[Topic]:
    """Return the most liked topics that began in a span."""
    topics, span = _among(wanted, places).filter(likes__gt=0), SPANS.get(wanted.span)
    if span is not None:
        topics = topics.filter(created_at__gt=timezone.now() - span)
    if span is not None and span <= MONTH:
        newest = Topic.objects.filter(LISTED).order_by("-pk").values("pk")[:NEWEST]
        topics = topics.filter(pk__in=newest)
    return list(topics.order_by("-likes", "-pk")[:PAGE])


def _rows(
    found: _Found,
    reader: Asker,
    rooms: Sequence[Category],
    wanted: Wanted,
    marks: Mapping[int, Mark | None] | None = None,
) -> list[Row]:
    """Return the lines of topics; the reader's marks come in one query where they did not come with the topics."""
    known = reading.marks_of(found.topics, reader) if marks is None else marks
    by_pk, now = {room.pk: room for room in rooms}, timezone.now()
    return [
        _row(topic, known.get(topic.pk), by_pk.get(topic.category_id or 0), found, wanted, now, reader)
        for topic in found.topics
    ]


def _row(
    topic: Topic,
    mark: Mark | None,
    room: Category | None,
    found: _Found,
    wanted: Wanted,
    now: datetime,
    reader: Asker,
) -> Row:
    mine, named = vars(room) if room else {}, found.names
    level = mark.level if mark and mark.level != Level.NORMAL else mine.get("level")
    is_past = (topic.last_post_id or 0) <= (mine.get("floor") or 0)
    is_muted = level == Level.MUTED
    follows = mark is not None or (level or 0) >= Level.TRACKING
    unread = topic.last_number - (mark.last_read if mark else 0) if follows and not is_past and not is_muted else 0
    is_late = now - topic.created_at < reading.NEW_SPAN
    is_new = reader.is_authenticated and mark is None and is_late and not is_past and not is_muted
    people = (named[pk] for pk in topic.participants if pk in named)
    return Row(
        pk=topic.pk,
        path=topic.path,
        title=topic.title,
        kind=topic.kind,
        is_solved=topic.accepted_id is not None,
        is_closed=not topic.is_live,
        is_pinned=topic.pk in found.pinned,
        room=(room.path, room.title, room.color) if room and room != wanted.category else None,
        tags=found.tags.get(topic.pk, ()),
        people=tuple(people),
        poster=named.get(topic.last_poster_id or 0, ""),
        comments=topic.comments,
        likes=topic.likes,
        views=topic.views,
        age=age(topic.last_post_at, now),
        last_at=topic.last_post_at.replace(microsecond=0),
        unread=max(unread, 0),
        read=mark.last_read if mark else 0,
        is_new=is_new,
        is_muted=is_muted,
    )


def _names(topics: Sequence[Topic]) -> dict[int, str]:
    pks = {pk for topic in topics for pk in (*topic.participants, topic.last_poster_id) if pk}
    return dict(User.objects.filter(pk__in=pks).values_list("pk", "username")) if pks else {}


def _tags_of(topics: Sequence[Topic]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    links = TopicTag.objects.filter(topic__in=[topic.pk for topic in topics]).order_by("pk")
    for topic, name in links.values_list("topic", "tag__name") if topics else ():
        found[topic] = (*found.get(topic, ()), name)
    return found
