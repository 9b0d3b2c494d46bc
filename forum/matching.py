"""Which posts hold words: as each database is asked, SQLite by FTS5, PostgreSQL by its index of tsvector."""

from collections.abc import Sequence
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
# The database looks at each post of a stretch. Where so many would have to be looked at, telling of all posts that hold
# the words costs less, for these are few then.
LONGEST = 2_000_000
# Where more posts than so many times those that are wanted hold the words, half of the stretch does.
MANY, MANY_IN_ALL, TURNS = 3, 20, 40
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


def newest(
    column: str, terms: Sequence[Term], place: Place, *, limit: int, loose: bool = False
) -> dict[int, tuple[str, str]]:
    """Return title and words of the posts of a place that hold what is asked for, at most so many of the newest.

    `place.before` should not lie far above the newest post.
    """
    asked = [_joined([_completed(term) for term in terms], loose), *(_quoted(mark) for mark in place.marks)]
    found: dict[int, tuple[str, str]] = {}
    width, crowded, marks = NEAR, place.after, MOST_MARKS[column]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        for _turn in range(TURNS):
            begin, stretch = _stretch(place, width, marks)
            most = limit if width <= NEAR else limit * (MANY if stretch else MANY_IN_ALL)
            rows = _asked(cursor, column, [*asked, *stretch], place, begin, most, in_order=width <= NEAR)
            if len(rows) == most and width > NEAR:
                crowded = begin
            else:
                found |= rows
                if len(found) >= limit or begin <= place.after + 1:
                    break
                place = place._replace(before=begin)
                width = _more(width, len(rows), limit - len(found), marks)
            if place.after < crowded < place.before:
                width = _less(place, min(place.before - crowded, marks * indexing.COARSE), marks, crowded)
    return dict(sorted(found.items(), reverse=True)[:limit])


def _asked(
    cursor: CursorWrapper, column: str, asked: Sequence[str], place: Place, begin: int, most: int, *, in_order: bool
) -> dict[int, tuple[str, str]]:
    """Return posts from an id on: the newest, or any, so that the database stops reading at so many."""
    titled = " AND title <> ''" if column == "title" else ""
    sql = f"SELECT post_id, title, words FROM forum_postwords WHERE {column}_vector @@ %s::tsquery{titled}"  # noqa: S608
    order = " ORDER BY post_id DESC" if in_order else ""
    sql += f" AND post_id >= %s AND post_id < %s{order} LIMIT %s"
    cursor.execute(sql, [" & ".join(asked), begin, place.before, most])
    return {pk: (title, said) for pk, title, said in cursor.fetchall()}


def _stretch(place: Place, width: int, marks: int) -> tuple[int, list[str]]:
    """Return the first id of the newest posts of a place, about so many, and what to ask for to have these alone."""
    last, least = place.before - 1, place.after + 1
    first = max(last - width + 1, least)
    for size, mark in ((indexing.FINE, indexing.fine), (indexing.COARSE, indexing.coarse)):
        blocks = range(first // size, last // size + 1)
        if len(blocks) <= marks:
            asked = " | ".join(_quoted(mark(block)) for block in blocks)
            return max(blocks.start * size, least), [f"({asked})"]
    return least, []


def _more(width: int, found: int, missing: int, marks: int) -> int:
    """Return how long the next stretch is to be, by what the last one held; one that has no marks is all of it."""
    needed = width * (min(max(2 * missing // found, 2), WIDER) if found else WIDER)
    longest = (marks - 1) * indexing.COARSE
    # What the newest posts are about tells little of the older ones: all are asked only after a long stretch.
    return needed if needed > LONGEST and width >= longest else min(needed, longest)


def _less(place: Place, width: int, marks: int, crowded: int) -> int:
    """Return half of a width, or what is left of it once the stretch does not reach back to where it is crowded.

    Stretches begin where a mark does, so that a narrower one may be the same again.
    """
    width //= 2
    while width > NEAR and _stretch(place, width, marks)[0] <= crowded:
        width //= 2
    return max(width, NEAR)


def _joined(asked: Sequence[str], loose: bool) -> str:
    return f"({(' | ' if loose else ' & ').join(f'({one})' for one in asked)})"


def _completed(term: Term) -> str:
    """Return what stands for a term: with the frequent words that begin so, or with all where those are rare."""
    found = frequent_words.completing(term.word) if term.is_prefix else ()
    if not found:
        return _either(term, APOSTROPHE, ":*", " | ")
    return " | ".join(_quoted(word) for word in dict.fromkeys((term.word, term.stem, *found)))


def _quoted(word: str) -> str:
    return f"{APOSTROPHE}{word}{APOSTROPHE}"


def _either(term: Term, quote: str, begun: str, between: str) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    whole = f"{quote}{term.word}{quote}{begun if term.is_prefix else ''}"
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return whole if is_within else f"{whole}{between}{quote}{term.stem}{quote}"
