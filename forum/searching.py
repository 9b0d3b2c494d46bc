"""Search over topics and posts, in Chinese and English alike, with the same answers from every database.

The database only says which posts hold the words: the newest few hundred of them, within what was asked for. What is
best among these is computed here, from the same words, so that both engines rank alike.

PostgreSQL is not left to choose how it finds them (forum/matching.py). Categories, kinds, tags, authors and stretches
of time are words themselves (forum/indexing.py), so that every part of the forum is searched as the whole is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from forum import indexing, matching
from forum.ages import age
from forum.models import Category, Post, Tag
from models_hub.models import Repo
from models_hub.searching import highlighting, words
from models_hub.searching.highlighting import Piece
from models_hub.searching.words import Term
from portal.models import Asker, User

CANDIDATES = 150
# Of the posts that an index tells of some are hidden or were moved: so many times as many are asked for, and so many
# times more while too few are left.
SPARE, ROUNDS = 1.1, 5
# Days are looked up in posts from so many on, and the posts of a day lie so many ids around its first and its last.
DATED, AROUND = 50_000, 500
LONGEST = 20_000  # characters of a post in which an excerpt is looked for
PAGE = 20
TITLE, WHOLE_TITLE, ACCEPTED = 3.0, 4.0, 1.0
TOPIC_KINDS = ("discussion", "question", "article")
KINDS = (*TOPIC_KINDS, "repo")
FACTS = ("pk", "topic", "topic__repo", "created_at", "topic__likes", "topic__accepted")


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
    """The answers, whether words had to be left out for them, and where older ones begin.

    `newest` says among how many of the newest posts that hold the words these are the best; None where of all.
    """

    hits: Sequence[Hit]
    is_loose: bool = False
    older: int | None = None
    newest: int | None = None


class _Candidate(NamedTuple):
    """A post with what ranks it: the columns of FACTS, then its words."""

    pk: int
    topic: int
    repo: int | None
    at: datetime
    likes: int
    accepted: int | None
    title: str
    words: str


class _Candidates(NamedTuple):
    """Posts that are ranked, and whether older ones hold the words too."""

    rows: Sequence[_Candidate]
    are_newest: bool


def find(question: Question, reader: Asker, rooms: Sequence[Category]) -> Found:
    """Return what answers a question, of all that the reader may see; `rooms` are all that the reader may enter."""
    terms = words.asked(question.text)
    if not terms:
        return Found([])
    if question.latest:
        return _latest(question, terms, reader, rooms)
    within, place = _within(question, rooms), _place(question)
    found, is_loose = _candidates(within, place, terms, reader, question), False
    if not found.rows and len(terms) > 1:
        found, is_loose = _candidates(within, place, terms, reader, question, loose=True), True
    ranked = sorted(((_score(one, terms), one.pk, one) for one in found.rows), reverse=True)
    best: dict[int, _Candidate] = {}
    times: dict[int, int] = {}
    for _points, _pk, one in ranked:
        best.setdefault(one.topic, one)
        times[one.topic] = times.get(one.topic, 0) + 1
    chosen = list(best.values())[:PAGE]
    return Found(_hits(chosen, terms, times), is_loose, newest=CANDIDATES if found.are_newest else None)


def _latest(question: Question, terms: Sequence[Term], reader: Asker, rooms: Sequence[Category]) -> Found:
    """Return the newest posts that hold all words, page by page."""
    within, place = _within(question, rooms), _place(question)
    rows = _read(within, place, "words", terms, PAGE * 2, question)
    shown = _visible(rows, reader)[:PAGE]
    has_more = len(rows) == PAGE * 2 or len(shown) == PAGE
    last = shown[-1].pk if len(shown) == PAGE else rows[-1].pk if rows else None
    return Found(_hits(shown, terms, {}), older=last if has_more else None)


def _within(question: Question, rooms: Sequence[Category]) -> QuerySet[Post]:
    """Return the posts that may be among the answers; repositories are asked about later."""
    places = [question.category.pk] if question.category else [room.pk for room in rooms]
    placed = Q(topic__category__in=places)
    if question.kind == "repo":
        placed = Q(topic__repo__isnull=False)
    elif not question.category and not question.kind:
        placed |= Q(topic__repo__isnull=False)
    shown = {"topic__deleted_at": None, "topic__hidden_at": None, "topic__held_at": None}
    rows = Post.objects.filter(placed, hidden_at=None, held_at=None, **shown)
    if question.kind in TOPIC_KINDS:
        rows = rows.filter(topic__kind=question.kind)
    if question.tag:
        rows = rows.filter(topic__tag_links__tag__name=question.tag.lower())
    if question.author:
        rows = rows.filter(author__in=User.objects.named(question.author))
    if question.solved:
        rows = rows.filter(topic__accepted__isnull=False)
    if question.since:
        rows = rows.filter(created_at__gte=_begin(question.since))
    if question.until:
        rows = rows.filter(created_at__lt=_begin(question.until) + timedelta(days=1))
    return rows


def _place(question: Question) -> matching.Place | None:
    """Return where PostgreSQL looks; None for other databases, and as long as posts do not bear their marks."""
    if connection.vendor != "postgresql" or not indexing.is_complete():
        return None
    marks = [indexing.OF_REPO] if question.kind == "repo" else []
    if question.category and question.kind != "repo":
        marks.append(indexing.in_room(question.category.pk))
    if question.kind in TOPIC_KINDS:
        marks.append(indexing.of_kind(question.kind))
    if question.tag:
        tag = Tag.objects.filter(name=question.tag.lower()).values_list("pk", flat=True).first()
        marks.append(indexing.with_tag(tag or 0))
    if question.author:
        author = User.objects.named(question.author).values_list("pk", flat=True).first()
        marks.append(indexing.by_author(author or 0))
    if question.solved:
        marks.append(indexing.SOLVED)
    return matching.Place(tuple(marks), *_between(question))


def _between(question: Question) -> tuple[int, int]:
    """Return the ids between which the posts of the days lie that were asked for: ids grow as time does."""
    newest = Post.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    after, before = 0, min(question.before or matching.LARGEST, newest + 1)
    if question.since and newest >= DATED:
        after = _first_at(_begin(question.since), newest) - AROUND
    if question.until and newest >= DATED:
        before = min(before, _first_at(_begin(question.until) + timedelta(days=1), newest) + AROUND)
    return max(after, 0), before


def _first_at(moment: datetime, newest: int) -> int:
    """Return about the id of the first post from a moment on, by halving."""
    low, high = 0, newest + 1
    while high - low > AROUND // 2:
        middle = (low + high) // 2
        at = Post.objects.filter(pk__gte=middle).order_by("pk").values_list("created_at", flat=True).first()
        low, high = (middle, high) if at is not None and at < moment else (low, middle)
    return high


def _candidates(
    within: QuerySet[Post],
    place: matching.Place | None,
    terms: Sequence[Term],
    reader: Asker,
    question: Question,
    *,
    loose: bool = False,
) -> _Candidates:
    """Return posts by all their words, the newest, and where there are more, by the words of their titles too."""
    rows = _read(within, place, "words", terms, CANDIDATES, question, loose=loose)
    if are_newest := len(rows) == CANDIDATES:
        rows += _read(within, place, "title", terms, CANDIDATES, question, loose=loose)
    return _Candidates(_visible(list({one.pk: one for one in rows}.values()), reader), are_newest)


def _read(
    within: QuerySet[Post],
    place: matching.Place | None,
    column: str,
    terms: Sequence[Term],
    limit: int,
    question: Question,
    *,
    loose: bool = False,
) -> list[_Candidate]:
    """Return the newest posts of which a column holds the words."""
    if place is not None:
        return _newest(within, place, column, terms, limit, loose=loose)
    rows = within if question.before is None else within.filter(pk__lt=question.before)
    rows = rows.filter(matching.condition(column, terms, loose=loose)).order_by("-pk")
    return [_Candidate(*row) for row in rows.values_list(*FACTS, "found_by__title", "found_by__words")[:limit]]


def _newest(
    within: QuerySet[Post],
    place: matching.Place,
    column: str,
    terms: Sequence[Term],
    limit: int,
    *,
    loose: bool,
) -> list[_Candidate]:
    """Return the newest answers of a place, leaving out what the index cannot know."""
    found: list[_Candidate] = []
    for turn in range(ROUNDS):
        wanted = math.ceil(limit * SPARE) * 2**turn
        held = matching.newest(column, terms, place, limit=wanted, loose=loose)
        rows = within.filter(pk__in=held).order_by("-pk").values_list(*FACTS)[: limit - len(found)] if held else []
        found += [_Candidate(*(*row, *held[row[0]])) for row in rows]
        if len(found) >= limit or len(held) < wanted:
            break
        place = place._replace(before=min(held))
    return found


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
