"""Documents ranked for a query: nDCG, MRR, recall and MAP, as trec_eval and MTEB compute them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from worker.engine.statistics.resampling import Array

CUTOFF = 10
RECALL_CUTOFFS = (1, 5, 10, 100)
NAMES = ("ndcg_at_10", "mrr_at_10", "map", *(f"recall_at_{k}" for k in RECALL_CUTOFFS))


class Query(NamedTuple):
    """A query, how much each document is worth to it, and the documents a model ranked, best first."""

    id: str
    gains: Mapping[str, float]
    ranking: Sequence[str]


def measure(queries: Sequence[Query]) -> dict[str, Array]:
    """Return every measure for each query; the reference must hold a document of some worth for each."""
    scores = np.zeros((len(queries), len(NAMES)))
    for row, query in enumerate(queries):
        # Where questions are drawn from the corpus, the question itself would be the easiest find.
        gains = {document: gain for document, gain in query.gains.items() if document != query.id and gain > 0}
        ranking = dict.fromkeys(document for document in query.ranking if document != query.id)
        found = np.array([gains.get(document, 0.0) for document in ranking])
        best = np.sort(np.array(list(gains.values())))[::-1]
        scores[row] = [
            discounted(found) / discounted(best),
            reciprocal_rank(found),
            average_precision(found, len(gains)),
            *(np.count_nonzero(found[:k]) / len(gains) for k in RECALL_CUTOFFS),
        ]
    return {name: scores[:, column] for column, name in enumerate(NAMES)}


def discounted(gains: Array, cutoff: int = CUTOFF) -> float:
    """Return the discounted cumulative gain of a ranking: gain over log2(place + 1)."""
    top = gains[:cutoff]
    return float((top / np.log2(np.arange(2, len(top) + 2))).sum())


def reciprocal_rank(gains: Array, cutoff: int = CUTOFF) -> float:
    """Return one over the place of the first document of worth, 0 below the cutoff."""
    hits = np.flatnonzero(gains[:cutoff] > 0)
    return 1.0 / float(hits[0] + 1) if len(hits) else 0.0


def average_precision(gains: Array, relevant: int) -> float:
    """Return the mean precision at each document of worth; one that was not ranked counts 0."""
    hits = np.flatnonzero(gains > 0)
    return float((np.arange(1, len(hits) + 1) / (hits + 1)).sum() / relevant)
