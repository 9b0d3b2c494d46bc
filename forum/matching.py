"""Which posts hold words: as each database is asked, SQLite by FTS5, PostgreSQL by its index of tsvector."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from models_hub.searching.words import Term

QUOTE, APOSTROPHE = '"', "'"
LARGEST = 2**63 - 1
# For one transaction: by the index of words, whatever the planner believes, with room for all that it tells of.
PLAIN = "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_seqscan = off;"
BY_INDEX = f"{PLAIN} SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '64MB'"
# In their order, so that what is not needed is not read.
IN_ORDER = f"{PLAIN} SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"


class Place(NamedTuple):
    """Among which posts words are looked for: those that bear all marks, and where it is shorter to read them alone.

    Ids lie between `after` and `before`, without these two.
    """

    marks: tuple[str, ...] = ()
    room: int | None = None
    author: int | None = None
    after: int = 0
    before: int = LARGEST


class Portion(NamedTuple):
    """Posts that hold words, and the oldest of those that were read for them, None where there are no older ones."""

    ids: list[int]
    oldest: int | None


def condition(column: str, terms: Sequence[Term], *, loose: bool = False) -> Q | RawSQL:
    """Return the condition that a column of PostWords holds all terms, or any of them."""
    if connection.vendor == "sqlite":
        asked = (" OR " if loose else " AND ").join(f"({_either(term, QUOTE, '*', ' OR ')})" for term in terms)
        sql = "forum_postwords.post_id IN (SELECT rowid FROM forum_search WHERE forum_search MATCH %s)"
        return RawSQL(sql, [f"{column} : ({asked})"], output_field=BooleanField())  # noqa: S611 - words are a parameter
    titled = ~Q(title="") if column == "title" else Q()  # else its index is not used
    sql = f"forum_postwords.{column}_vector @@ %s::tsquery"
    return titled & Q(RawSQL(sql, [_tsquery(terms, loose)], output_field=BooleanField()))  # noqa: S611 - as above


# What follows is asked of PostgreSQL alone. Its planner cannot know how frequent the beginning of a word is, and is
# wrong by seconds either way: so these say themselves how the posts are found.


def among(
    column: str, terms: Sequence[Term], place: Place, *, rows: int, limit: int, loose: bool = False
) -> tuple[Portion, bool]:
    """Read so many posts of a place, the newest first, until enough of them hold the words; says whether enough do."""
    ids = held(column, terms, place, rows=rows, limit=limit, loose=loose)
    if len(ids) >= limit:
        return Portion(ids, ids[-1]), True
    source, given = _source(column, place)
    last = _asked(f"SELECT w.post_id {source} OFFSET %s LIMIT 1", [*given, rows - 1])
    return Portion(ids, last[0] if last else None), False


def held(column: str, terms: Sequence[Term], place: Place, *, rows: int, limit: int, loose: bool = False) -> list[int]:
    """Return which of so many posts hold the words, the newest first, at most so many."""
    source, given = _source(column, place)
    latest = f"SELECT w.post_id, w.{column}_vector AS held {source} LIMIT %s"
    sql = f"SELECT post_id FROM ({latest}) AS latest WHERE held @@ %s::tsquery ORDER BY post_id DESC LIMIT %s"  # noqa: S608
    return _asked(sql, [*given, rows, _tsquery(terms, loose, place.marks), limit])


def _asked(sql: str, given: Sequence[int | str]) -> list[int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(IN_ORDER)
        cursor.execute(sql, list(given))
        return [pk for (pk,) in cursor.fetchall()]


def by_index(column: str, terms: Sequence[Term], place: Place, *, limit: int, loose: bool = False) -> list[int]:
    """Return posts by the index of words, which tells of all that hold them and bear the marks, the newest first."""
    sql = f"SELECT post_id FROM forum_postwords w WHERE {_there(column)} AND {column}_vector @@ %s::tsquery"  # noqa: S608
    given: list[int | str] = [place.after, place.before, _tsquery(terms, loose, place.marks), limit]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        cursor.execute(f"{sql} ORDER BY post_id DESC LIMIT %s", given)
        return [pk for (pk,) in cursor.fetchall()]


def _source(column: str, place: Place) -> tuple[str, list[int]]:
    """Return where the posts of a place are read in their order, and what is filled in."""
    bounds = [place.after, place.before]
    if place.author is not None:
        posts = f"FROM forum_post p JOIN forum_postwords w ON w.post_id = p.id WHERE {_there(column, 'p.id')}"
        return f"{posts} AND p.author_id = %s ORDER BY p.id DESC", [*bounds, place.author]
    if place.room is not None:
        rows = f"FROM forum_postwords w WHERE {_there(column)} AND w.room = %s ORDER BY w.post_id DESC"
        return rows, [*bounds, place.room]
    return f"FROM forum_postwords w WHERE {_there(column)} ORDER BY w.post_id DESC", bounds


def _there(column: str, key: str = "w.post_id") -> str:
    return f"{key} > %s AND {key} < %s" + (" AND w.title <> ''" if column == "title" else "")


def _tsquery(terms: Sequence[Term], loose: bool, marks: Sequence[str] = ()) -> str:
    said = (" | " if loose else " & ").join(f"({_either(term, APOSTROPHE, ':*', ' | ')})" for term in terms)
    return " & ".join((f"({said})", *(f"{APOSTROPHE}{mark}{APOSTROPHE}" for mark in marks)))


def _either(term: Term, quote: str, begun: str, between: str) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    whole = f"{quote}{term.word}{quote}{begun if term.is_prefix else ''}"
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return whole if is_within else f"{whole}{between}{quote}{term.stem}{quote}"
