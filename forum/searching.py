"""Search over topics and posts, in Chinese and English alike, with the same answers from every database.

The database only says which posts hold the words: the newest few hundred of them, within what was asked for. What is
best among these is computed here, from the same words, so that both engines rank alike.

PostgreSQL is not left to choose how it finds them. Of words that many posts hold it reads the newest posts of a place
until enough are found; of words that few hold, its index tells of all. Which of them costs less follows from how many
of the newest hold them. Categories, kinds and tags are words themselves (forum/indexing.py), so that this is true of
every part of the forum as it is of the whole.
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
from forum.models import Category, Post, PostWords, Tag
from models_hub.models import Repo
from models_hub.searching import highlighting, words
from models_hub.searching.highlighting import Piece
from models_hub.searching.words import Term
from portal.models import Asker, User

CANDIDATES = 150
# First so many of the newest posts of a place are read, then more while the words are frequent, at most so many.
NEAR, FURTHEST = 3_000, 120_000
# Of the posts that hold rare words, so many of the newest are looked through for those that were asked for.
PART = 3_000
# Before the index is asked in a large place, so many older posts are read here and there: what the newest seldom say
# may have been said all the time. Of more than so many posts the index is not asked: those that were read answer.
LARGE, SAMPLE, TOLD = 50_000, 1_000, 20_000
# What no mark tells of, that an answer was accepted or who said it, is seen last: of so many times as many posts.
SIFTED = 5
# The posts of an author are spread over all others: fewer of them are read.
AUTHORED = 20_000
# Days are looked up in posts from so many on, and the posts of a day lie so many ids around its first and its last.
DATED, AROUND = 50_000, 500
LONGEST = 20_000  # characters of a post in which an excerpt is looked for
PAGE = 20
TITLE, WHOLE_TITLE, ACCEPTED = 3.0, 4.0, 1.0
TOPIC_KINDS = ("discussion", "question", "article")
KINDS = (*TOPIC_KINDS, "repo")


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
    def is_sifted(self) -> bool:
        """Whether something is asked for that no mark tells of."""
        return bool(self.author or self.solved)


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


class _Place(NamedTuple):
    """Where PostgreSQL looks, and how many posts are there."""

    among: matching.Place
    posts: int


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
    within, place = _within(question, rooms), _place(question, rooms)
    found, is_loose = _candidates(within, place, terms, reader, question), False
    if not found and len(terms) > 1:
        found, is_loose = _candidates(within, place, terms, reader, question, loose=True), True
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
    within, place = _within(question, rooms), _place(question, rooms)
    rows = _read(within, place, "words", terms, PAGE * 2, question)
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
    if question.kind in TOPIC_KINDS:
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


def _place(question: Question, rooms: Sequence[Category]) -> _Place | None:
    """Return where PostgreSQL looks; None for other databases, and as long as posts do not bear their marks."""
    if connection.vendor != "postgresql" or not indexing.is_complete():
        return None
    marks = [indexing.OF_REPO] if question.kind == "repo" else []
    room = question.category if question.kind != "repo" else None
    if room:
        marks.append(indexing.in_room(room.pk))
    if question.kind in TOPIC_KINDS:
        marks.append(indexing.of_kind(question.kind))
    if question.tag:
        tag = Tag.objects.filter(name=question.tag.lower()).values_list("pk", flat=True).first()
        marks.append(indexing.with_tag(tag or 0))
    author = None
    if question.author:
        author = User.objects.filter(username__iexact=question.author).values_list("pk", flat=True).first() or 0
    after, before = _between(question)
    among = matching.Place(tuple(marks), room.pk if room else None, author, after, before)
    return _Place(among, room.post_count if room else sum(room.post_count for room in rooms))


def _between(question: Question) -> tuple[int, int]:
    """Return the ids between which the posts of the days lie that were asked for: ids grow as time does."""
    after, before = 0, question.before or matching.LARGEST
    if not (question.since or question.until):
        return after, before
    newest = Post.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if newest < DATED:
        return after, before
    if question.since:
        after = _first_at(_begin(question.since), newest) - AROUND
    if question.until:
        before = min(before, _first_at(_begin(question.until) + timedelta(days=1), newest) + AROUND)
    return after, before


def _first_at(moment: datetime, newest: int) -> int:
    """Return about the id of the first post from a moment on, by halving."""
    low, high = 0, newest + 1
    while high - low > AROUND // 2:
        middle = (low + high) // 2
        at = Post.objects.filter(pk__gte=middle).order_by("pk").values_list("created_at", flat=True).first()
        low, high = (middle, high) if at is not None and at < moment else (low, middle)
    return high


def _candidates(
    within: QuerySet[PostWords],
    place: _Place | None,
    terms: Sequence[Term],
    reader: Asker,
    question: Question,
    *,
    loose: bool = False,
) -> list[_Candidate]:
    """Return posts by their titles and by all their words, the newest of each."""
    titled = _read(within, place, "title", terms, CANDIDATES, question, loose=loose)
    said = _read(within, place, "words", terms, CANDIDATES, question, loose=loose)
    return _visible(list({one.pk: one for one in (*titled, *said)}.values()), reader)


def _read(
    within: QuerySet[PostWords],
    place: _Place | None,
    column: str,
    terms: Sequence[Term],
    limit: int,
    question: Question,
    *,
    loose: bool = False,
) -> list[_Candidate]:
    """Return the newest posts of which a column holds the words."""
    if place is not None:
        return _newest(within, place, column, terms, limit, question, loose=loose)
    rows = within if question.before is None else within.filter(pk__lt=question.before)
    return _first(rows.filter(matching.condition(column, terms, loose=loose)), limit)


def _newest(
    within: QuerySet[PostWords],
    place: _Place,
    column: str,
    terms: Sequence[Term],
    limit: int,
    question: Question,
    *,
    loose: bool,
) -> list[_Candidate]:
    """Return the newest answers of a place: as far as they are near, else by the index.

    A place is read on only where as many posts hold the words as would soon be enough.
    """
    found: list[_Candidate] = []
    among, read, held, rows = place.among, 0, 0, NEAR
    furthest = FURTHEST if among.author is None else AUTHORED
    once = limit * (SIFTED if question.is_sifted else 1)
    while read < furthest and held < PART:
        portion, is_full = matching.among(column, terms, among, rows=rows, limit=once, loose=loose)
        found += _first(within.filter(pk__in=portion.ids), limit - len(found)) if portion.ids else []
        if len(found) >= limit or portion.oldest is None:
            return found
        held += len(portion.ids)
        among = among._replace(before=portion.oldest)
        if is_full:
            continue
        read += rows
        if among.author is None and held < _frequent(place.posts, limit) * read:
            break
        rows = furthest - read
    ids, share = _sample(among, column, terms, loose=loose) if place.posts > LARGE else ([], 0.0)
    if share * place.posts <= TOLD:
        ids = matching.by_index(column, terms, among, limit=PART, loose=loose)
    return found + (_first(within.filter(pk__in=ids), limit - len(found)) if ids else [])


def _sample(among: matching.Place, column: str, terms: Sequence[Term], *, loose: bool) -> tuple[list[int], float]:
    """Return posts that hold the words from three places further back, and what share of what was read they are."""
    ids: list[int] = []
    for part in (3, 2, 1):
        before = among.after + (among.before - among.after) * part // 4
        there = among._replace(before=before)
        ids += matching.held(column, terms, there, rows=SAMPLE, limit=SAMPLE, loose=loose)
    return ids, len(ids) / (3 * SAMPLE)


def _frequent(posts: int, limit: int) -> float:
    """Return the share of posts from which on words are frequent.

    Reading until so many are found costs limit / share, the index costs share * posts: alike where both are equal.
    """
    return math.sqrt(limit / max(posts, limit))


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
