"""The order of what was found: BM25 over three fields, and a little for what others use.

Documents are scored here, not by the databases, whose formulae differ. How rare a term is, is counted among the
candidates. Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from models_hub.searching.words import Term

K = 1.2
B = 0.6
WEIGHTS = (4.0, 2.0, 1.0)  # of name, tags, card
LENGTHS = (4.0, 20.0, 200.0)  # what is usual of each
WHOLE = 1.5  # what a question is worth that is answered in all its terms
BEGUN = 0.4  # what a word is worth that only begins with what was typed
USED = 0.12  # what ten times the use is worth


class Document(NamedTuple):
    """One candidate: its words by field, and how much it is used."""

    repo_id: int
    fields: Sequence[str]  # each with a blank around every word
    lengths: Sequence[float]  # of the fields, against what is usual
    use: float


class _Sought(NamedTuple):
    """A term as it stands in a field, between blanks."""

    begun: str
    whole: str
    stem: str  # "" where it is the word
    is_prefix: bool


def parse(repo_id: int, words: str, use: float) -> Document:
    """Return the document of a stored row."""
    fields = [f" {part} " for part in f" {words} ".split(" | ")]
    lengths = [1 - B + B * field.count(" ") / usual for field, usual in zip(fields, LENGTHS, strict=False)]
    return Document(repo_id, fields, lengths, use)


def order(terms: Sequence[Term], documents: Iterable[Document]) -> list[tuple[float, int]]:
    """Return (score, id), the best first; equal ones by id, the newest first."""
    # The stem is kept beside the word, so that a word that was asked for as it stands counts twice.
    sought = [
        _Sought(f" {word}", f" {word} ", f" {stem} " if stem != word else "", is_prefix)
        for word, stem, is_prefix in terms
    ]
    counted = [(document, [_frequencies(document, one) for one in sought]) for document in documents]
    known = len(counted)
    holding = [sum(any(found[place]) for _one, found in counted) for place in range(len(terms))]
    rarity = [math.log(1 + (known - count + 0.5) / (count + 0.5)) + 1 for count in holding]
    scored = [(_score(document, found, rarity), document.repo_id) for document, found in counted]
    return sorted(((round(score, 6), pk) for score, pk in scored), reverse=True)


def use_of(row: Mapping[str, Any]) -> float:
    """Return how much a repository is used, on the scale of `USED`."""
    return math.log10(1 + row["downloads"] + 20 * row["likes"])


def _frequencies(document: Document, sought: _Sought) -> list[float]:
    """Return how often a term stands in each field; a word that only begins so counts less."""
    found = []
    for field in document.fields:
        count, begun = 0.0, field.count(sought.begun)
        if begun:
            count = float(field.count(sought.whole))
            if sought.is_prefix:
                count += BEGUN * (begun - count)
        if sought.stem:
            count += field.count(sought.stem)
        found.append(count)
    return found


def _score(document: Document, found: Sequence[Sequence[float]], rarity: Sequence[float]) -> float:
    total, answered = 0.0, 0
    for frequencies, weight in zip(found, rarity, strict=True):
        if not any(frequencies):
            continue
        answered += 1
        for count, length, most in zip(frequencies, document.lengths, WEIGHTS, strict=False):
            # Each field by itself: a word that a card repeats is not worth one in a name.
            total += weight * most * count / (K * length + count)
    if answered == len(found):
        total *= WHOLE
    return total + USED * document.use
