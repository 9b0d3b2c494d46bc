"""Which posts hold words: as each database is asked, SQLite by FTS5, PostgreSQL by its index of tsvector."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from models_hub.searching.words import Term

QUOTE, APOSTROPHE = '"', "'"
NEAR = {"words": 30_000, "title": 20_000}  # of the newest posts, those that are read one by one
FAR = 1_000_000  # ids further back, within which the index is asked first
LARGEST = 2**63 - 1


def condition(column: str, terms: Sequence[Term], *, loose: bool = False) -> Q | RawSQL:
    """Return the condition that a column of PostWords holds all terms, or any of them."""
    if connection.vendor == "sqlite":
        asked = (" OR " if loose else " AND ").join(f"({_either(term, QUOTE, '*', ' OR ')})" for term in terms)
        sql = "forum_postwords.post_id IN (SELECT rowid FROM forum_search WHERE forum_search MATCH %s)"
        return RawSQL(sql, [f"{column} : ({asked})"], output_field=BooleanField())  # noqa: S611 - words are a parameter
    titled = ~Q(title="") if column == "title" else Q()  # else its index is not used
    sql = f"forum_postwords.{column}_vector @@ %s::tsquery"
    return titled & Q(RawSQL(sql, [_tsquery(terms, loose)], output_field=BooleanField()))  # noqa: S611 - as above


def newest(column: str, terms: Sequence[Term], limit: int, *, before: int | None, loose: bool = False) -> list[int]:
    """Return the ids of the newest posts of which a column holds the terms, the newest first; PostgreSQL alone.

    Its planner cannot know how frequent the beginning of a word is, and is wrong by seconds either way. So the latest
    posts are read as they come, which is enough for frequent words; only where these are too few, the index is asked,
    first for what is not too old: it tells of all posts that hold the words, in no order.
    """
    vector, titled = f"{column}_vector", "AND title <> ''" if column == "title" else ""
    older = f"FROM forum_postwords WHERE post_id < %(before)s {titled}"
    holding = f"SELECT post_id {older} AND {vector} @@ %(asked)s::tsquery"
    few = "(SELECT count(*) FROM {}) < %(limit)s"
    # The names of columns are ours, all that was asked is a parameter.
    sql = f"""
        WITH near AS MATERIALIZED (
            SELECT post_id FROM (
                SELECT post_id, {vector} AS vector {older} ORDER BY post_id DESC LIMIT %(near)s
            ) AS latest WHERE vector @@ %(asked)s::tsquery ORDER BY post_id DESC LIMIT %(limit)s
        ), far AS MATERIALIZED (
            {holding} AND post_id > (SELECT max(post_id) - %(far)s {older}) AND {few.format("near")}
        ), every AS MATERIALIZED (
            {holding} AND {few.format("near")} AND {few.format("far")}
        )
        SELECT post_id FROM (
            SELECT post_id FROM near UNION SELECT post_id FROM far UNION SELECT post_id FROM every
        ) AS found ORDER BY post_id DESC LIMIT %(limit)s"""  # noqa: S608
    begin = LARGEST if before is None else before
    facts: dict[str, int | str] = {
        "asked": _tsquery(terms, loose),
        "limit": limit,
        "before": begin,
        "near": NEAR[column],
        "far": FAR,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        return [pk for (pk,) in cursor.fetchall()]


def _tsquery(terms: Sequence[Term], loose: bool) -> str:
    return (" | " if loose else " & ").join(f"({_either(term, APOSTROPHE, ':*', ' | ')})" for term in terms)


def _either(term: Term, quote: str, begun: str, between: str) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    whole = f"{quote}{term.word}{quote}{begun if term.is_prefix else ''}"
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return whole if is_within else f"{whole}{between}{quote}{term.stem}{quote}"
