"""How alike texts are by their characters alone: a floor that whatever knows meaning must beat. Numpy, no torch.

TF-IDF of the one to three characters in a row, as scikit-learn's `TfidfVectorizer(analyzer="char", ngram_range=(1, 3))`
weighs them. Characters serve texts with and without spaces between words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engine.statistics.resampling import Array, Whole

# Beyond this many characters, or pairs of a query and a document, nothing is computed: a floor is not worth minutes.
MOST_CHARACTERS = 20_000_000
MOST_PAIRS = 30_000_000
_SPACES = re.compile(r"\s\s+")
_BITS = np.uint64(21)  # of a code point

Terms = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Vectors:
    """Texts as vectors of length one: row i has the terms and weights from bounds[i] to bounds[i + 1]."""

    terms: Whole
    weights: Array
    bounds: Whole

    def rows(self) -> Iterator[tuple[Whole, Array]]:
        """Yield the terms of each text, rising, with their weights."""
        for start, end in zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True):
            yield self.terms[start:end], self.weights[start:end]


class Weighing:
    """Weights of terms, learned from texts: the rarer, the heavier."""

    def __init__(self, texts: Sequence[str]) -> None:
        found = [terms_of(text)[0] for text in texts]
        self.vocabulary, frequencies = np.unique(np.concatenate(found), return_counts=True)
        self.weights = np.log((1 + len(texts)) / (1 + frequencies)) + 1

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts; terms that were never seen are left out."""
        parts = [self._vector(*terms_of(text)) for text in texts]
        bounds = np.cumsum([0, *(len(terms) for terms, _weights in parts)])
        return Vectors(
            np.concatenate([terms for terms, _weights in parts]),
            np.concatenate([weights for _terms, weights in parts]),
            bounds.astype(np.intp),
        )

    def _vector(self, terms: Terms, counts: Whole) -> tuple[Whole, Array]:
        places = np.searchsorted(self.vocabulary, terms)
        known = places < len(self.vocabulary)
        known[known] = self.vocabulary[places[known]] == terms[known]
        weights = counts[known] * self.weights[places[known]]
        length = float(np.sqrt((weights**2).sum()))
        return places[known], weights / length if length else weights


def terms_of(text: str) -> tuple[Terms, Whole]:
    """Return every run of one to three characters as a number of its own, rising, and how often each is there."""
    characters = _SPACES.sub(" ", text.lower()).encode("utf-32-le", "replace")
    one = np.frombuffer(characters, dtype="<u4").astype(np.uint64) + np.uint64(1)
    two = one[:-1] << _BITS | one[1:]
    three = two[:-1] << _BITS | one[2:]
    terms, counts = np.unique(np.concatenate([one, two, three]), return_counts=True)
    return terms, counts


def similarities(first: Sequence[str], second: Sequence[str]) -> Array | None:
    """Return the cosine (n,) of each pair, weighed by all different texts; None where they are too many."""
    texts = list(dict.fromkeys([*first, *second]))
    if sum(map(len, texts)) > MOST_CHARACTERS or len(first) > MOST_PAIRS:
        return None
    rows = dict(zip(texts, Weighing(texts).vectors(texts).rows(), strict=True))
    return np.array([_dot(*rows[one], *rows[other]) for one, other in zip(first, second, strict=True)])


def search(queries: Sequence[str], documents: Sequence[str]) -> Iterator[Array] | None:
    """Return for each query its cosine with each document (documents,); None where they are too many."""
    characters = sum(map(len, queries)) + sum(map(len, documents))
    if characters > MOST_CHARACTERS or len(queries) * len(documents) > MOST_PAIRS:
        return None
    return _search(queries, documents)


def _search(queries: Sequence[str], documents: Sequence[str]) -> Iterator[Array]:
    weighing = Weighing(documents)
    held = weighing.vectors(documents)
    # Turned round: for each term the documents that have it, and how much it weighs there.
    order = np.argsort(held.terms, kind="stable")
    holders = np.repeat(np.arange(len(documents)), np.diff(held.bounds))[order]
    weights = held.weights[order]
    starts = np.searchsorted(held.terms[order], np.arange(len(weighing.vocabulary) + 1))
    for terms, asked in weighing.vectors(queries).rows():
        scores = np.zeros(len(documents))
        for term, weight in zip(terms.tolist(), asked.tolist(), strict=True):
            place = slice(starts[term], starts[term + 1])
            scores[holders[place]] += weight * weights[place]  # a term names each document once
        yield scores


def _dot(terms: Whole, weights: Array, others: Whole, other_weights: Array) -> float:
    _shared, mine, theirs = np.intersect1d(terms, others, assume_unique=True, return_indices=True)
    return float(weights[mine] @ other_weights[theirs])
