"""Search over topics and posts, in Chinese and English alike, with the same answers from every database.

The database only says which posts hold the words: the newest few hundred of them, within what was asked for. What is
best among these is computed here, from the same words, so that both engines rank alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from forum import matching
from forum.ages import age
from forum.models import Category, Post, PostWords
from models_hub.models import Repo
from models_hub.searching import highlighting, words
from models_hub.searching.highlighting import Piece
from models_hub.searching.words import Term
from portal.models import Asker

CANDIDATES = 150
# How PostgreSQL finds words: first among so many of the newest posts, then further back while so many of them hold the
# words, at most so far; else by its index.
NEAR, FREQUENT, FURTHEST = 10_000, 0.003, 120_000
# Of the posts that hold rare words, so many of the newest are looked through for those of a part of the forum.
PART = 3_000
# Where these are too few, all are, but not for a part that is large itself: there it would take seconds.
SMALL = 50_000  # posts of a category
LONGEST = 20_000  # characters of a post in which an excerpt is looked for
PAGE = 20
TITLE, WHOLE_TITLE, ACCEPTED = 3.0, 4.0, 1.0
KINDS = ("discussion", "question", "article", "repo")


@dataclass(frozen=True)
class Question:
    """What a reader asked for; `before` is the post at which a page of the latest ones begins."""

    text: str
    category: Category | None = None
    tag: str = ""
    author: str = ""
    kind: str = ""
    solved: bool = False
    since: date | None = None
    until: date | None = None
    latest: bool = False
    before: int | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether only a part of the forum is asked for."""
        return bool(self.is_small or self.category or self.kind or self.solved or self.since)

    @property
    def is_small(self) -> bool:
        """Whether this part is small, or far from the newest posts."""
        is_small_room = self.category is not None and self.category.post_count < SMALL
        return bool(self.tag or self.author or self.until or is_small_room)


class Hit(NamedTuple):
    """A topic that answers, by its best post."""

    path: str
    title: Sequence[Piece]
    excerpt: Sequence[Piece]
    author: str
    place: str
    place_path: str
    number: int
    age: str
    at: datetime
    is_solved: bool
    likes: int
    more: int


@dataclass(frozen=True)
class Found:
    """The answers, whether words had to be left out for them, and where older ones begin."""

    hits: Sequence[Hit]
    is_loose: bool = False
    older: int | None = None


class _Candidate(NamedTuple):
    pk: int
    title: str
    words: str
    topic: int
    repo: int | None
    at: datetime
    likes: int
    accepted: int | None


def find(question: Question, reader: Asker, rooms: Sequence[Category]) -> Found:
    """Return what answers a question, of all that the reader may see; `rooms` are all that the reader may enter."""
    terms = words.asked(question.text)
    if not terms:
        return Found([])
    if question.latest:
        return _latest(question, terms, reader, rooms)
    within = _within(question, rooms)
    found, is_loose = _candidates(within, terms, reader, question), False
    if not found and len(terms) > 1:
        found, is_loose = _candidates(within, terms, reader, question, loose=True), True
    ranked = sorted(((_score(one, terms), one.pk, one) for one in found), reverse=True)
    best: dict[int, _Candidate] = {}
    times: dict[int, int] = {}
    for _points, _pk, one in ranked:
        best.setdefault(one.topic, one)
        times[one.topic] = times.get(one.topic, 0) + 1
    chosen = list(best.values())[:PAGE]
    return Found(_hits(chosen, terms, times), is_loose)


def _latest(question: Question, terms: Sequence[Term], reader: Asker, rooms: Sequence[Category]) -> Found:
    """Return the newest posts that hold all words, page by page."""
    within = _within(question, rooms)
    rows = _read(within, "words", terms, PAGE * 2, question)
    shown = _visible(rows, reader)[:PAGE]
    has_more = len(rows) == PAGE * 2 or len(shown) == PAGE
    last = shown[-1].pk if len(shown) == PAGE else rows[-1].pk if rows else None
    return Found(_hits(shown, terms, {}), older=last if has_more else None)


def _within(question: Question, rooms: Sequence[Category]) -> QuerySet[PostWords]:
    """Return the words of the posts that may be among the answers; repositories are asked about later."""
    places = [question.category.pk] if question.category else [room.pk for room in rooms]
    placed = Q(post__topic__category__in=places)
    if question.kind == "repo":
        placed = Q(post__topic__repo__isnull=False)
    elif not question.category and not question.kind:
        placed |= Q(post__topic__repo__isnull=False)
    rows = PostWords.objects.filter(
        placed,
        post__hidden_at=None,
        post__held_at=None,
        post__topic__deleted_at=None,
        post__topic__hidden_at=None,
        post__topic__held_at=None,
    )
    if question.kind in ("discussion", "question", "article"):
        rows = rows.filter(post__topic__kind=question.kind)
    if question.tag:
        rows = rows.filter(post__topic__tag_links__tag__name=question.tag.lower())
    if question.author:
        rows = rows.filter(post__author__username__iexact=question.author)
    if question.solved:
        rows = rows.filter(post__topic__accepted__isnull=False)
    if question.since:
        rows = rows.filter(post__created_at__gte=_begin(question.since))
    if question.until:
        rows = rows.filter(post__created_at__lt=_begin(question.until) + timedelta(days=1))
    return rows


def _candidates(
    within: QuerySet[PostWords], terms: Sequence[Term], reader: Asker, question: Question, *, loose: bool = False
) -> list[_Candidate]:
    """Return posts by their titles and by all their words, the newest of each."""
    titled = _read(within, "title", terms, CANDIDATES, question, loose=loose)
    said = _read(within, "words", terms, CANDIDATES, question, loose=loose)
    return _visible(list({one.pk: one for one in (*titled, *said)}.values()), reader)


def _read(
    within: QuerySet[PostWords],
    column: str,
    terms: Sequence[Term],
    limit: int,
    question: Question,
    *,
    loose: bool = False,
) -> list[_Candidate]:
    """Return the newest posts of which a column holds the words."""
    rows = within if question.before is None else within.filter(pk__lt=question.before)
    if connection.vendor == "postgresql":
        found, is_all = _newest(rows, column, terms, limit, question, loose=loose)
        if is_all or not question.is_small:
            return found
    return _first(rows.filter(matching.condition(column, terms, loose=loose)), limit)


def _newest(
    within: QuerySet[PostWords], column: str, terms: Sequence[Term], limit: int, question: Question, *, loose: bool
) -> tuple[list[_Candidate], bool]:
    """Return the newest answers, and whether no older one is missing.

    Frequent words are soon found among the latest posts. Those of rare ones are few: the index tells of all.
    """
    found: list[_Candidate] = []
    before, read, rows = question.before or matching.LARGEST, 0, NEAR
    while read < FURTHEST:
        portion = matching.among(column, terms, before=before, rows=rows, loose=loose)
        some = _first(within.filter(pk__in=portion.ids), limit - len(found)) if portion.ids else []
        found += some
        if len(found) >= limit or portion.oldest is None:
            return found, True
        before, read = portion.oldest, read + rows
        if len(portion.ids) < FREQUENT * rows:
            enough = PART if question.is_narrow else 2 * limit
            ids = matching.by_index(column, terms, before=before, limit=enough, loose=loose)
            found += _first(within.filter(pk__in=ids), limit - len(found)) if ids else []
            return found, len(found) >= limit or len(ids) < enough
        missing = (limit - len(found)) / max(len(some), 1)
        rows = min(int(rows * missing * 1.5) + NEAR, FURTHEST)
    return found, False


def _first(rows: QuerySet[PostWords], limit: int) -> list[_Candidate]:
    columns = ("title", "words", "post__topic", "post__topic__repo", "post__created_at", "post__topic__likes")
    found = rows.order_by("-pk").values_list("pk", *columns, "post__topic__accepted")[:limit]
    return [_Candidate(*row) for row in found]


def _visible(found: Sequence[_Candidate], reader: Asker) -> list[_Candidate]:
    """Leave out the discussions of repositories that the reader does not see."""
    asked = {one.repo for one in found if one.repo is not None}
    seen = set(Repo.objects.visible_to(reader).filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
    return [one for one in found if one.repo is None or one.repo in seen]


def _score(one: _Candidate, terms: Sequence[Term]) -> float:
    """Return how well a post answers: words in its title before words in its text, then what others made of it."""
    title, said = f" {one.title} ", f" {one.words} "
    in_title = [bool(_times(term, title)) for term in terms]
    points = sum(math.log1p(min(_times(term, said), 5)) for term in terms)
    points += TITLE * sum(in_title) / len(terms) + (WHOLE_TITLE if all(in_title) else 0)
    points += ACCEPTED if one.accepted == one.pk else 0
    years = max((timezone.now() - one.at).total_seconds(), 0) / (365 * 86_400)
    return points + 0.3 * math.log1p(one.likes) + 1 / (1 + years)


def _times(term: Term, said: str) -> int:
    """Return how often a term is among words between blanks; counted in the text itself, which is much quicker."""
    end = "" if term.is_prefix else " "
    times = said.count(f" {term.word}{end}")
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return times if is_within else times + said.count(f" {term.stem} ")


def _hits(chosen: Sequence[_Candidate], terms: Sequence[Term], times: dict[int, int]) -> list[Hit]:
    """Return the answers as a page shows them, in one query."""
    rows = Post.objects.filter(pk__in=[one.pk for one in chosen])
    posts = rows.select_related("topic__category", "topic__repo__namespace", "author").in_bulk()
    now = timezone.now()
    return [_hit(posts[one.pk], terms, times.get(one.topic, 1), now) for one in chosen if one.pk in posts]


def _hit(post: Post, terms: Sequence[Term], times: int, now: datetime) -> Hit:
    topic = post.topic
    room, repo = topic.category, topic.repo
    return Hit(
        path=post.path,
        title=highlighting.marked(topic.title, terms),
        excerpt=highlighting.excerpt(post.text[:LONGEST], terms) or [Piece(post.text[: highlighting.LENGTH])],
        author=post.author.username if post.author else "",
        place=room.title if room else repo.full_name if repo else "",
        place_path=room.path if room else repo.path if repo else "",
        number=post.number,
        age=age(post.created_at, now),
        at=post.created_at,
        is_solved=topic.accepted_id is not None,
        likes=topic.likes,
        more=times - 1,
    )


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))
