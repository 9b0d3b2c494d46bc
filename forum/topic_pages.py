"""One page of a topic: twenty numbers of posts, by arithmetic, and all that is shown of them in a few queries.

Posts are never numbered anew, so that a page is a range of numbers however long its topic is. Numbers whose posts were
moved away leave gaps.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from forum import briefly, mending, posting, reading, showing
from forum.ages import age
from forum.models import (
    Bookmark,
    CategoryReader,
    Ignoring,
    Level,
    Post,
    Reaction,
    Steward,
    Topic,
    TopicTag,
)
from forum.prepared import Prepared, padded
from portal.errors import NotFound
from portal.models import Asker, TrustLevel, User

PAGE = 20
NEWS = 20  # posts that come to an open page at once


class Card(NamedTuple):
    """What is shown of an author beside each post."""

    name: str
    shown: str
    is_staff: bool
    level: int
    badges: int
    best: int  # the highest tier of a badge

    @property
    def level_name(self) -> str:
        return str(TrustLevel(self.level).label)


class Shown(NamedTuple):
    """A post as one reader sees it: two that are equal look the same."""

    pk: int
    number: int
    kind: str
    card: Card | None
    html: str
    text: str
    facts: tuple[tuple[str, str], ...]
    at: str
    minute: str
    age: str
    is_edited: bool
    is_hidden: bool
    hidden_why: str
    is_held: bool
    is_accepted: bool
    is_folded: bool
    is_mine: bool
    is_kept: bool
    answers: tuple[int, str] | None
    reactions: tuple[tuple[str, str, int, bool], ...]
    may_edit: bool
    may_mend: bool
    may_hide: bool
    may_accept: bool
    may_moderate: bool
    is_guest: bool

    @property
    def plain(self) -> str:
        """The words alone, for whoever only reads a description."""
        return " ".join(unescape(strip_tags(self.html or self.text)).split())


@dataclass(frozen=True)
class Place:
    """A topic with what it is to the reader: how far it was read, the level, and who keeps order."""

    topic: Topic
    read: int
    level: Level
    keeps_order: bool

    @property
    def pages(self) -> int:
        return max((self.topic.last_number + PAGE - 1) // PAGE, 1)


@dataclass(frozen=True)
class Page:
    """The posts of a page; before `line` stands the mark of where the reader stopped."""

    place: Place
    number: int
    posts: Sequence[Shown]
    answer: Shown | None
    line: int | None

    @property
    def upto(self) -> int:
        """The highest number on the page."""
        return min(self.number * PAGE, self.place.topic.last_number)

    @property
    def neighbours(self) -> list[int]:
        """Numbers of pages to offer, in their order; 0 stands for those left out."""
        last = self.place.pages
        near = {1, last, *range(max(self.number - 2, 1), min(self.number + 2, last) + 1)}
        found: list[int] = []
        for one in sorted(near):
            if found and one > found[-1] + 1:
                found.append(0)
            found.append(one)
        return found


def find(pk: int, reader: Asker) -> Place:
    """Return a topic of the forum with the reader's place in it, in one query; raises NotFound."""
    role = "guest" if not isinstance(reader, User) else "staff" if reader.is_staff else "member"
    found = _topics(role, pk, reader.pk or 0)
    if not found:
        raise NotFound(_("There is no such topic."))
    topic, mine = found[0], vars(found[0])
    level = mine.get("level")
    if level in (None, Level.NORMAL):
        level = mine.get("room_level") or Level.NORMAL
    keeps_order = bool(mine.get("keeps")) or reader.is_staff
    return Place(topic, mine.get("read") or 0, Level(level or Level.NORMAL), keeps_order)


def _with_place(role: str, pk: int, reader: int) -> QuerySet[Topic]:
    user = User(pk=reader, is_staff=role == "staff")
    topics = Topic.objects.in_forum(AnonymousUser() if role == "guest" else user)
    if role != "guest":
        keeps = Steward.objects.filter(until__gt=Now(), category=OuterRef("category"), user=reader)
        room = CategoryReader.objects.filter(category=OuterRef("category"), user=reader).values("level")
        topics = reading.with_marks(topics, user).annotate(keeps=Exists(keeps), room_level=Subquery(room[:1]))
    return topics.filter(pk=pk).select_related("category", "poll")


_topics = Prepared(_with_place)


def page_of(number: int) -> int:
    """Return the page on which the post of this number is."""
    return (max(number, 1) - 1) // PAGE + 1


def tags_of(topic: Topic) -> list[str]:
    """Return the tags that a topic bears."""
    return _tags(None, topic.pk)


_tags = Prepared(lambda _shape, topic: TopicTag.objects.filter(topic=topic).values_list("tag__name", flat=True))


def number_at(topic: Topic, day: date) -> int:
    """Return the number of the first post of a day, or of those after it; the last one when there is none."""
    begin = timezone.make_aware(datetime(day.year, day.month, day.day))
    found = topic.posts.filter(created_at__gte=begin).order_by("number").values_list("number", flat=True).first()
    return found or topic.last_number


def page(place: Place, number: int, reader: Asker) -> Page:
    """Return one page of a topic."""
    first = (number - 1) * PAGE + 1
    rows = _posts_of_page(_role(place, reader), place.topic.pk, first, first + PAGE - 1, reader.pk or 0)
    answer = _answer(place, reader, rows) if number == 1 else None
    shown = _shown([*rows, *([answer] if answer else [])], place, reader)
    posts = shown[: len(rows)]
    begin = next((post.number for post in posts if post.number > place.read and not post.is_mine), None)
    line = begin if begin and place.read and begin > 1 and (place.read >= first - 1) else None
    return Page(place, number, posts, shown[-1] if answer else next((p for p in posts if p.is_accepted), None), line)


def news(place: Place, after: int, reader: Asker) -> Sequence[Shown]:
    """Return the posts that came after a number."""
    rows = _posts(place, reader).filter(number__gt=after).order_by("number")[:NEWS]
    return _shown(list(rows), place, reader)


def one(place: Place, number: int, reader: Asker) -> Shown | None:
    """Return one post of a topic, as its page shows it."""
    return next(iter(_shown(list(_posts(place, reader).filter(number=number)), place, reader)), None)


def has_news(pk: int, after: int, reader: Asker) -> bool:
    """Whether a topic that the reader sees has later posts: one small query, which open pages ask again and again."""
    return Topic.objects.in_forum(reader).filter(pk=pk, last_number__gt=after).exists()


def _posts(place: Place, reader: Asker) -> QuerySet[Post]:
    return _posts_in(place.topic.pk, reader, keeps_order=place.keeps_order)


def _posts_in(topic: int, reader: Asker, *, keeps_order: bool) -> QuerySet[Post]:
    posts = Post.objects.filter(topic=topic).shown_to(reader, moderates=keeps_order).order_by("number")
    if isinstance(reader, User):
        ignored = Ignoring.objects.filter(user=reader.pk, ignored=OuterRef("author"))
        kept = Bookmark.objects.filter(user=reader.pk, post=OuterRef("pk"))
        posts = posts.annotate(ignored=Exists(ignored), kept=Exists(kept))
    return posts


def _role(place: Place, reader: Asker) -> str:
    return "keeper" if place.keeps_order or reader.is_staff else "member" if isinstance(reader, User) else "guest"


def _of_page(role: str, topic: int, first: int, last: int, reader: int) -> QuerySet[Post]:
    asker = AnonymousUser() if role == "guest" else User(pk=reader)
    return _posts_in(topic, asker, keeps_order=role == "keeper").filter(number__range=(first, last))


_posts_of_page = Prepared(_of_page)


def _answer(place: Place, reader: Asker, rows: Iterable[Post]) -> Post | None:
    """Return the accepted answer where it is not on the first page."""
    accepted = place.topic.accepted_id
    if accepted is None or any(post.pk == accepted for post in rows):
        return None
    return _posts(place, reader).filter(pk=accepted, hidden_at=None).first()


def _shown(rows: Sequence[Post], place: Place, reader: Asker) -> list[Shown]:
    """Return posts as the reader sees them; cards of people, badges and what is referred to come in a query each."""
    posting.render_again(None, rows)
    showing.show(rows, reader)
    cards = briefly.each("card", {post.author_id for post in rows if post.author_id}, cards_of)
    answered = _answered(rows, cards)
    mine = _reactions_of(rows, reader)
    now = timezone.now()
    return [_one(post, place, reader, cards, answered, mine, now) for post in rows]


def cards_of(people: Iterable[int]) -> dict[int, Card]:
    """Return what is shown of these people, in one query."""
    wanted = sorted(people)
    return {
        pk: Card(name, f"{first} {last}".strip() or name, staff, level or 0, granted, best or 0)
        for pk, name, first, last, staff, level, granted, best in (_people(None, *padded(wanted)) if wanted else ())
    }


def _with_badges(_shape: None, *people: int) -> QuerySet[User, tuple[Any, ...]]:
    standing = Q(badge_grants__revoked_at=None)
    rows = User.objects.filter(pk__in=people).annotate(
        granted=Count("badge_grants__badge", filter=standing, distinct=True),
        best=Max("badge_grants__tier", filter=standing),
    )
    return rows.values_list("pk", "username", "first_name", "last_name", "is_staff", "trust__level", "granted", "best")


_people = Prepared(_with_badges)


def _answered(rows: Sequence[Post], cards: Mapping[int, Card]) -> dict[int, tuple[int, str]]:
    """Return number and author of the posts that were answered, by their ids; those of other pages in one query."""
    known = {post.pk: (post.number, post.author_id) for post in rows}
    wanted = {post.reply_to_id for post in rows if post.reply_to_id} - known.keys()
    if wanted:
        found = Post.objects.filter(pk__in=wanted).values_list("pk", "number", "author__username")
        others = {pk: (number, name or "") for pk, number, name in found}
    else:
        others = {}
    own = {pk: (number, cards[by].name if by in cards else "") for pk, (number, by) in known.items() if by is not None}
    return own | others


def _reactions_of(rows: Sequence[Post], reader: Asker) -> set[tuple[int, str]]:
    """Return the reader's own reactions, as posts and kinds."""
    reacted = [post.pk for post in rows if post.reactions]
    if not isinstance(reader, User) or not reacted:
        return set()
    return set(Reaction.objects.filter(user=reader, post__in=reacted).values_list("post", "kind"))


def _one(
    post: Post,
    place: Place,
    reader: Asker,
    cards: Mapping[int, Card],
    answered: Mapping[int, tuple[int, str]],
    mine: set[tuple[int, str]],
    now: datetime,
) -> Shown:
    extra, topic = vars(post), place.topic
    is_mine = reader.pk is not None and post.author_id == reader.pk
    sees = not post.is_hidden or is_mine or place.keeps_order
    counts = post.reactions if sees else {}
    is_question = topic.kind == Topic.Kind.QUESTION
    at = timezone.localtime(post.created_at.replace(microsecond=0))
    return Shown(
        pk=post.pk,
        number=post.number,
        kind=post.kind,
        card=cards.get(post.author_id or 0),
        html=post.html if sees and post.renderer else "",
        text=post.text if sees and not post.renderer else "",
        facts=tuple((str(name), str(value)) for name, value in sorted(post.data.items())) if sees else (),
        at=at.isoformat(),
        minute=f"{at:%Y-%m-%d %H:%M}",
        age=age(post.created_at, now),
        is_edited=post.edited_at is not None,
        is_hidden=post.is_hidden,
        hidden_why=post.hidden_why,
        is_held=post.held_at is not None,
        is_accepted=post.pk == topic.accepted_id,
        is_folded=bool(extra.get("ignored")) and not is_mine,
        is_mine=is_mine,
        is_kept=bool(extra.get("kept")),
        answers=answered.get(post.reply_to_id or 0) if post.reply_to_id and post.number > 1 else None,
        reactions=_reactions(post.pk, counts, mine) if counts else (),
        may_edit=is_mine and post.is_comment and not post.is_hidden,
        may_mend=mending.may_mend(post, reader),
        may_hide=(is_mine or place.keeps_order) and post.is_comment and not post.is_hidden,
        may_accept=is_question
        and post.is_comment
        and post.number > 1
        and not post.is_hidden
        and (place.keeps_order or (reader.pk is not None and topic.author_id == reader.pk)),
        may_moderate=place.keeps_order,
        is_guest=not reader.is_authenticated,
    )


def _reactions(
    post: int, counts: Mapping[str, int], mine: set[tuple[int, str]]
) -> tuple[tuple[str, str, int, bool], ...]:
    return tuple(
        (kind, str(label), counts[kind], (post, kind) in mine)
        for kind, label in Reaction.Kind.choices
        if counts.get(kind)
    )
