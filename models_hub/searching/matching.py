"""The two full-text engines behind one question: which repositories hold a word. They find the same ones."""

import json
from array import array
from collections.abc import Sequence
from sys import byteorder
from typing import NamedTuple

from django.db import connection
from pyroaring import BitMap

from models_hub.searching.words import Term

SQLITE = "SELECT {place}, group_concat(rowid) FROM hub_search WHERE hub_search MATCH %s"
POSTGRESQL = "SELECT {place}, hub_holding_{column}(%s::tsquery)"


class Wanted(NamedTuple):
    """A term, and whether only the words of names count."""

    term: Term
    in_name: bool = False

    @property
    def column(self) -> str:
        return "name" if self.in_name else "words"


class Held:
    """The words of one document, to ask it what the engines are asked."""

    def __init__(self, text: str) -> None:
        self._words = {*text.split()}
        self._begun = {word[:end] for word in self._words for end in range(1, len(word) + 1)}

    def answers(self, term: Term) -> bool:
        return term.stem in self._words or term.word in (self._begun if term.is_prefix else self._words)


def read(wanted: Sequence[Wanted]) -> dict[Wanted, BitMap]:
    """Return who answers each of these, private repositories too, in one query."""
    if not wanted:
        return {}
    is_sqlite = connection.vendor == "sqlite"
    pattern, question, ids_of = (SQLITE, _fts5, of_text) if is_sqlite else (POSTGRESQL, _tsquery, of_bytes)
    parts = [pattern.format(place=place, column=one.column) for place, one in enumerate(wanted)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [question(one) for one in wanted])
        return {wanted[place]: ids_of(ids) if ids else BitMap() for place, ids in cursor.fetchall()}


# One value for each: fifty thousand rows of one number would take their time on the way.
def of_text(ids: str) -> BitMap:
    return BitMap(json.loads(f"[{ids}]"))  # less than half the time of `int` for each


def of_bytes(ids: bytes) -> BitMap:
    found = array("I", bytes(ids))
    if byteorder == "little":
        found.byteswap()
    return BitMap(found)


def _fts5(wanted: Wanted) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    words = _either(wanted.term, quote='"', begun="*", between=" OR ")
    return f"{wanted.column} : ({words})"


def _tsquery(wanted: Wanted) -> str:
    return _either(wanted.term, quote="'", begun=":*", between=" | ")


def _either(term: Term, *, quote: str, begun: str, between: str) -> str:
    whole = f"{quote}{term.word}{quote}{begun if term.is_prefix else ''}"
    is_within = term.stem.startswith(term.word) if term.is_prefix else term.stem == term.word
    return whole if is_within else f"{whole}{between}{quote}{term.stem}{quote}"
