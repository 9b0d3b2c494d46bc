"""Which posts hold words: as each database is asked, SQLite by FTS5, PostgreSQL by its index of tsvector."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from forum import frequent_words, indexing
from models_hub.searching.words import Term

QUOTE, APOSTROPHE = '"', "'"
LARGEST = 2**63 - 1
# The newest posts are searched first, about so many. While none are found, so many times as many older ones come next;
# a stretch has so many marks at most, and what is wider is searched as a whole.
NEAR, WIDER = 2 * indexing.FINE, 64
MOST_MARKS = {"words": 8, "title": 32}  # each is looked at for each post; titles are few, and lie far apart
# Where stretches of so many posts together would be needed, telling of all posts that hold the words costs less, for
# these are few then.
LONGEST = 6_000_000
# Where more posts than so many times those that are wanted hold the words, half of the stretch does.
MANY, MANY_IN_ALL, TURNS = 3, 8, 40
# To gather all posts that hold any of thousands of words takes longer than to look at as many of the newest posts as
# the fine marks of one question name, so that these come first; and more of what was gathered is read, for the next
# stretch gathers it again. It is a quarter as long then.
MANY_GATHERED, QUARTER = 10, 4
# What so large a part of so many posts holds is not gathered: for a few turns it is looked up in the posts that hold
# all else, where these are at most so many times those that are wanted.
BROAD, SAMPLE = 0.05, 1024
LOOKS, LOOKED = 8, 20
# For one transaction: by the index of words, whatever the planner believes, and so that the posts which it tells of
# are read from the disk many at a time.
BY_INDEX = (
    "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_seqscan = off;"
    " SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '64MB'; SET LOCAL effective_io_concurrency = 64"
)


class Place(NamedTuple):
    """Among which posts words are looked for: those that bear all marks, between two ids, without these."""

    marks: tuple[str, ...] = ()
    after: int = 0
    before: int = LARGEST


def condition(column: str, terms: Sequence[Term], *, loose: bool = False) -> Q | RawSQL:
    """Return the condition that a column of a post's words holds all terms, or any of them."""
    if connection.vendor == "sqlite":
        asked = (" OR " if loose else " AND ").join(f"({_either(term, QUOTE, '*', ' OR ')})" for term in terms)
        sql = "forum_post.id IN (SELECT rowid FROM forum_search WHERE forum_search MATCH %s)"
        return RawSQL(sql, [f"{column} : ({asked})"], output_field=BooleanField())  # noqa: S611 - words are a parameter
    titled = ~Q(found_by__title="") if column == "title" else Q()  # else its index is not used
    sql = f"forum_postwords.{column}_vector @@ %s::tsquery"
    said = _joined([_either(term, APOSTROPHE, ":*", " | ") for term in terms], loose)
    return titled & Q(RawSQL(sql, [said], output_field=BooleanField()))  # noqa: S611 - as above


# What follows is asked of PostgreSQL alone. Its index of words knows no order: whatever is newest, it tells of all
# posts that hold them. But it skips what lies between those that hold a rare word, and the marks of forum/indexing.py
# make a rare word of each stretch of time. So the newest stretch is searched, then older ones, each as long as the
# last one lets expect; where too many posts hold the words, the search of a stretch ends before they are all read, and
# a shorter one is tried. However frequent words are, alone or together, now or long ago, a few hundred posts are read.
# Every word, every mark of a place and the marks of a stretch are conditions of their own: then the index leaps from
# a post that holds one to the next that holds another. Of one condition for all of them, it looks at each post of the
# stretch, which takes ten times as long.


class _Wanted(NamedTuple):
    """What a post must hold, as the index is asked for it, and about how many posts do; of rare words none.

    For what is `gathered` the index first puts together all posts that hold any word of very many, each time.
    """

    query: str
    posts: float
    is_gathered: bool = False


def newest(
    column: str, terms: Sequence[Term], place: Place, *, limit: int, loose: bool = False
) -> dict[int, tuple[str, str]]:
    """Return title and words of the posts of a place that hold what is asked for, at most so many of the newest.

    `place.before` should not lie far above the newest post.
    """
    wanted = _words_wanted(terms, loose)
    gathered, looked = [one for one in wanted if one.is_gathered], list[_Wanted]()
    wanted += [_Wanted(_quoted(mark), frequent_words.posts_with(mark)) for mark in place.marks]
    found: set[int] = set()
    width, crowded, marks = NEAR, place.after, MOST_MARKS[column]
    near, less = ((marks - 1) * indexing.FINE, QUARTER) if gathered else (NEAR, 2)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        for turn in range(TURNS):
            if turn in (1, LOOKS):
                looked = _broad(cursor, gathered, place.before) if turn == 1 and column == "words" else []
            begin, stretch = _stretch(place, width, marks)
            part, asked = place._replace(after=begin - 1), [*wanted, *stretch]
            if width <= near:
                held: list[int] | None = _newest_of(cursor, column, asked, part, limit)
            else:
                most = limit * _times_wanted(bool(stretch), bool(gathered), bool(looked))
                held = _all_of(cursor, column, asked, part, looked, most)
            if held is None:
                crowded = begin
            else:
                found.update(held)
                if len(found) >= limit or begin <= place.after + 1:
                    break
                place = place._replace(before=begin)
                longer = _more(width, len(held), limit - len(found), marks)
                width = min(longer, near) if width < near else longer
            if place.after < crowded < place.before:
                longest = min(place.before - crowded, marks * indexing.COARSE)
                width = _less(place, longest // less, marks, crowded, near)
        return _said(cursor, sorted(found, reverse=True)[:limit])


def _broad(cursor: CursorWrapper, gathered: Sequence[_Wanted], before: int) -> list[_Wanted]:
    """Return what many of the posts before one hold."""
    if not gathered:
        return []
    counts = ", ".join(["count(*) FILTER (WHERE words_vector @@ %s::tsquery)"] * len(gathered))
    sql = f"SELECT {counts} FROM forum_postwords WHERE post_id >= %s AND post_id < %s"  # noqa: S608 - no value in it
    cursor.execute(sql, [*(one.query for one in gathered), before - SAMPLE, before])
    return [one for one, posts in zip(gathered, cursor.fetchone(), strict=True) if posts > BROAD * SAMPLE]


def _newest_of(cursor: CursorWrapper, column: str, wanted: Sequence[_Wanted], place: Place, limit: int) -> list[int]:
    """Return the newest posts between the ids of a place, which are so few that nothing is gathered for them."""
    held, values = _held(column, wanted, [one for one in wanted if one.is_gathered])
    cursor.execute(f"SELECT post_id {held} ORDER BY post_id DESC LIMIT %s", [*values, place.after, place.before, limit])
    return [pk for (pk,) in cursor.fetchall()]


def _all_of(
    cursor: CursorWrapper, column: str, wanted: Sequence[_Wanted], place: Place, looked: Sequence[_Wanted], most: int
) -> list[int] | None:
    """Return all posts between the ids of a place; None if they are too many, where the database stops reading.

    What is to be `looked` up is so in those posts that hold all else, and these may be too many.
    """
    others = [one for one in wanted if one not in looked]
    if not others:  # all posts would be asked
        others, looked = list(wanted), []
    held, values = _held(column, others, [])
    holds = " AND ".join([f"{column}_vector @@ %s::tsquery"] * len(looked)) or "true"
    given: list[str | int] = [*(one.query for one in looked), *values, place.after, place.before, most]
    cursor.execute(f"SELECT post_id, {holds} {held} LIMIT %s", given)
    rows = cursor.fetchall()
    return None if len(rows) == most else [pk for pk, is_held in rows if is_held]


def _held(column: str, wanted: Sequence[_Wanted], looked: Sequence[_Wanted]) -> tuple[str, list[str]]:
    """Return which rows hold what is wanted between two ids, and what to ask the index for.

    It takes the conditions in their order: the rarest leads. One that `IS TRUE` it does not take: each row is asked.
    """
    ordered = sorted(wanted, key=attrgetter("posts"))
    holds = f"{column}_vector @@ %s::tsquery"
    asked = " AND ".join(f"({holds}) IS TRUE" if one in looked else holds for one in ordered)
    titled = " AND title <> ''" if column == "title" else ""
    return (
        f"FROM forum_postwords WHERE {asked}{titled} AND post_id > %s AND post_id < %s",
        [one.query for one in ordered],
    )


def _said(cursor: CursorWrapper, posts: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return title and words of posts, in their order."""
    cursor.execute("SELECT post_id, title, words FROM forum_postwords WHERE post_id = ANY(%s)", [list(posts)])
    said = {pk: (title, words) for pk, title, words in cursor.fetchall()}
    return {pk: said[pk] for pk in posts if pk in said}


def _stretch(place: Place, width: int, marks: int) -> tuple[int, list[_Wanted]]:
    """Return the first id of the newest posts of a place, about so many, and what to ask for to have these alone."""
    last, least = place.before - 1, place.after + 1
    first = max(last - width + 1, least)
    for size, mark in ((indexing.FINE, indexing.fine), (indexing.COARSE, indexing.coarse)):
        blocks = range(first // size, last // size + 1)
        if len(blocks) <= marks:
            asked = " | ".join(_quoted(mark(block)) for block in blocks)
            return max(blocks.start * size, least), [_Wanted(asked, size * len(blocks))]
    return least, []


def _more(width: int, found: int, missing: int, marks: int) -> int:
    """Return how long the next stretch is to be, by what the last one held; one that has no marks is all of it."""
    needed = width * (min(max(2 * missing // found, 2), WIDER) if found else WIDER)
    longest = (marks - 1) * indexing.COARSE
    # What the newest posts are about tells little of the older ones: all are asked only after a long stretch.
    return needed if needed > LONGEST and width >= longest else min(needed, longest)


def _times_wanted(has_stretch: bool, is_gathered: bool, is_looked: bool) -> int:
    """Return of how many posts, as a multiple of those that are wanted, the database is to stop telling."""
    if is_looked:
        return LOOKED
    if is_gathered:
        return MANY_GATHERED
    return MANY if has_stretch else MANY_IN_ALL


def _less(place: Place, width: int, marks: int, crowded: int, near: int) -> int:
    """Return a width, or what is left of it once the stretch does not reach back to where it is crowded.

    Stretches begin where a mark does, so that a narrower one may be the same again. Up to `near` it does no harm.
    """
    while width > near and _stretch(place, width, marks)[0] <= crowded:
        width //= 2
    return max(width, near)


def _joined(asked: Sequence[str], loose: bool) -> str:
    return f"({(' | ' if loose else ' & ').join(f'({one})' for one in asked)})"


def _words_wanted(terms: Sequence[Term], loose: bool) -> list[_Wanted]:
    each = [_completed(term) for term in terms]
    if not loose:
        return each
    is_gathered = any(one.is_gathered for one in each)
    return [_Wanted(" | ".join(one.query for one in each), sum(one.posts for one in each), is_gathered)]


def _completed(term: Term) -> _Wanted:
    """Return what stands for a term: with the frequent words that begin so, or with all where those are rare."""
    found = frequent_words.completing(term.word) if term.is_prefix else ()
    if not found:
        return _Wanted(_either(term, APOSTROPHE, ":*", " | "), frequent_words.posts_with(term.word), term.is_prefix)
    words = dict.fromkeys((term.word, term.stem, *found))
    return _Wanted(" | ".join(map(_quoted, words)), sum(map(frequent_words.posts_with, words)))


def _quoted(word: str) -> str:
    return f"{APOSTROPHE}{word}{APOSTROPHE}"


def _either(term: Term, quote: str, begun: str, between: str) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    whole = f"{quote}{term.word}{quote}{begun if term.is_prefix else ''}"
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return whole if is_within else f"{whole}{between}{quote}{term.stem}{quote}"
