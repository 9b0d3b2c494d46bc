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
BY_INDEX = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
)


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


def among(column: str, terms: Sequence[Term], *, before: int, rows: int, loose: bool = False) -> Portion:
    """Read so many posts older than `before`, the newest first, and return those of which a column holds the terms."""
    latest = f"SELECT post_id, {column}_vector AS held FROM forum_postwords WHERE {_there(column)}"  # noqa: S608
    found = "array_agg(post_id ORDER BY post_id DESC) FILTER (WHERE held @@ %s::tsquery)"
    sql = f"SELECT count(*), min(post_id), {found} FROM ({latest} ORDER BY post_id DESC LIMIT %s) AS latest"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [_tsquery(terms, loose), before, rows])
        read, oldest, ids = cursor.fetchone()
    return Portion(list(ids or ()), oldest if read == rows else None)


def by_index(column: str, terms: Sequence[Term], *, before: int, limit: int, loose: bool = False) -> list[int]:
    """Return posts older than `before` by the index of words, which tells of all that hold them, in no order."""
    sql = f"SELECT post_id FROM forum_postwords WHERE {_there(column)} AND {column}_vector @@ %s::tsquery"  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        cursor.execute(f"{sql} ORDER BY post_id DESC LIMIT %s", [before, _tsquery(terms, loose), limit])
        return [pk for (pk,) in cursor.fetchall()]


def _there(column: str) -> str:
    return "post_id < %s AND title <> ''" if column == "title" else "post_id < %s"


def _tsquery(terms: Sequence[Term], loose: bool) -> str:
    return (" | " if loose else " & ").join(f"({_either(term, APOSTROPHE, ':*', ' | ')})" for term in terms)


def _either(term: Term, quote: str, begun: str, between: str) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    whole = f"{quote}{term.word}{quote}{begun if term.is_prefix else ''}"
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return whole if is_within else f"{whole}{between}{quote}{term.stem}{quote}"
