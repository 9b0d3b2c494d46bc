"""Repositories whose `owner/name` holds certain words, wherever in it: what programs search for.

The databases have an index over all runs of three characters of a name: see migrations/0011_names.py.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from pyroaring import BitMap

from models_hub.models import RepoQuerySet
from models_hub.models.repos import MAX_WORDS
from models_hub.searching.matching import of_bytes, of_text

RUN = 3
# So many ids are sent to the database. More hold the words only where they are frequent: then those that come first
# in any order are soon found by looking.
FEW = 3000


def narrowed(found: RepoQuerySet, text: str) -> RepoQuerySet:
    """Narrow to those whose full name holds every word of `text`, whatever the case; asks for their ids, in one query.

    What the reader may see is up to `found`.
    """
    words = text.lower().split()[:MAX_WORDS]
    if not words:
        return found
    ids = holding(words)
    return found.filter(pk__in=[*ids]) if len(ids) <= FEW else found.matching(text)


def holding(words: Sequence[str]) -> BitMap:
    """Return the ids of all whose names hold each of these words, private ones among them."""
    if not all(word.isascii() and word.isprintable() for word in words):
        return BitMap()  # no name has such letters
    is_sqlite = connection.vendor == "sqlite"
    conditions, values = _fts5(words) if is_sqlite else _grams(words)
    ids = "group_concat(rowid)" if is_sqlite else "string_agg(int4send(repo_id::integer), '')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ids} FROM hub_names WHERE {' AND '.join(conditions)}", values)  # noqa: S608
        found = cursor.fetchone()[0]
    return (of_text if is_sqlite else of_bytes)(found) if found else BitMap()


def _fts5(words: Sequence[str]) -> tuple[list[str], list[Any]]:
    """A word of fewer than three characters has no run: names, which are short, are read for it."""
    long, short = _by_length(words)
    phrases = " ".join('"{}"'.format(word.replace('"', '""')) for word in long)
    asked: list[Any] = [phrases, *short] if long else [*short]
    return [*(["hub_names MATCH %s"] if long else []), *("instr(name, %s) > 0" for _word in short)], asked


def _grams(words: Sequence[str]) -> tuple[list[str], list[Any]]:
    long, _short = _by_length(words)
    runs = sorted({word[at : at + RUN] for word in long for at in range(len(word) - RUN + 1)})
    asked: list[Any] = [runs, *words] if long else [*words]
    return [*(["hub_grams(name) @> %s"] if long else []), *("position(%s in name) > 0" for _word in words)], asked


def _by_length(words: Sequence[str]) -> tuple[list[str], list[str]]:
    return [word for word in words if len(word) >= RUN], [word for word in words if len(word) < RUN]
