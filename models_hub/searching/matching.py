"""The two full-text engines behind one question: which repositories hold these words."""

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models.expressions import RawSQL

from models_hub.searching.words import Term


def ids(terms: Sequence[Term], *, in_name: bool = False, every: bool = True) -> list[int]:
    """Return the ids of repositories that hold every term, or any of them, in their names or anywhere."""
    if not terms:
        return []
    statement, question = _statement(terms, in_name=in_name, every=every)
    with connection.cursor() as cursor:
        cursor.execute(statement, [question])
        return [row[0] for row in cursor.fetchall()]


def subquery(terms: Sequence[Term], *, every: bool) -> RawSQL:
    """Return the same as a part of another question, for more ids than one would send along."""
    statement, question = _statement(terms, in_name=False, every=every)
    return RawSQL(statement, [question])  # noqa: S611  (the question is a parameter)


def _statement(terms: Sequence[Term], *, in_name: bool, every: bool) -> tuple[str, str]:
    column = "name" if in_name else "words"
    if connection.vendor == "sqlite":
        joined = (" AND " if every else " OR ").join(map(_fts5, terms))
        return "SELECT rowid FROM hub_search WHERE hub_search MATCH %s", f"{column} : ({joined})"
    joined = (" & " if every else " | ").join(map(_tsquery, terms))
    table = "models_hub_searchdocument"
    return f"SELECT repo_id FROM {table} WHERE {column}_vector @@ %s::tsquery", joined  # noqa: S608  (constants)


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
