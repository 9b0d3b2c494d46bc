"""The two full-text engines behind one question: which repositories hold these words."""

from collections.abc import Iterable, Sequence

from django.db import connection

from models_hub.searching.words import Term

CAP = 20_000  # of ids; beyond it counts are “more than”


def ids(terms: Sequence[Term], *, in_name: bool = False, every: bool = True, limit: int = CAP + 1) -> list[int]:
    """Return the ids of repositories that hold every term, or any of them, in their names or anywhere."""
    if not terms:
        return []
    column = "name" if in_name else "words"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            joined = (" AND " if every else " OR ").join(map(_fts5, terms))
            statement = "SELECT rowid FROM hub_search WHERE hub_search MATCH %s LIMIT %s"
            cursor.execute(statement, [f"{column} : ({joined})", limit])
        else:
            joined = (" & " if every else " | ").join(map(_tsquery, terms))
            statement = f"SELECT repo_id FROM models_hub_searchdocument WHERE {column}_vector @@ %s::tsquery LIMIT %s"  # noqa: S608  (one of two constants)
            cursor.execute(statement, [joined, limit])
        return [row[0] for row in cursor.fetchall()]


def _fts5(term: Term) -> str:
    """Words hold letters and digits alone, so that quotes are enough."""
    return _either(f'"{term.word}"*' if term.is_prefix else f'"{term.word}"', f'"{term.stem}"', term, " OR ")


def _tsquery(term: Term) -> str:
    return _either(f"'{term.word}':*" if term.is_prefix else f"'{term.word}'", f"'{term.stem}'", term, " | ")


def _either(whole: str, stem: str, term: Term, word: str) -> str:
    return whole if term.stem == term.word or whole == stem else f"({whole}{word}{stem})"


def holds(words: Iterable[str], term: Term) -> bool:
    """Say whether a document's words answer a term, as the databases would."""
    return any(
        word == term.stem or (word.startswith(term.word) if term.is_prefix else word == term.word) for word in words
    )
