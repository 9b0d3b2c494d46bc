"""How well the score of one label tells its examples from all others, whatever threshold is chosen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engine.statistics.resampling import Array

LABELS = 10  # those with the most examples; more curves cannot be told apart
POINTS = 48
DIGITS = 4

Truth = npt.NDArray[np.bool_]


def of_labels(scores: Array, truth: Truth, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return the curves of each label against the rest, the most frequent first; scores and truth are (n, labels)."""
    support = truth.sum(axis=0)
    # A label that all examples have, or none, has nothing to be told from.
    fitting = [place for place in np.argsort(-support, kind="stable") if 0 < support[place] < len(truth)]
    return [
        {"label": labels[place], "support": int(support[place]), **of_one(scores[:, place], truth[:, place])}
        for place in fitting[:LABELS]
    ]


def of_one(scores: Array, truth: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return both curves of one label with the areas below them, computed from all points, not only from those kept."""
    hits, false = _counts(scores, truth)  # (thresholds,) each, from the strictest to the laxest
    recall, fallout = hits / hits[-1], false / false[-1]
    precision = hits / (hits + false)
    x, y = np.r_[0.0, fallout], np.r_[0.0, recall]
    return {
        "auroc": float(((y[1:] + y[:-1]) * np.diff(x)).sum() / 2),
        "average_precision": float((np.diff(np.r_[0.0, recall]) * precision).sum()),
        "roc": _thinned(x, y),
        "pr": _thinned(recall, precision),
    }


def _counts(scores: Array, truth: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return how many right and wrong examples reach each threshold; equal scores are one threshold."""
    order = np.argsort(-scores, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    hits = np.cumsum(truth[order])[last].astype(np.float64)
    return hits, last + 1.0 - hits


def _thinned(x: Array, y: Array) -> list[list[float]]:
    """Return at most POINTS points of a curve, both ends among them, evenly along its way."""
    way = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    wanted = np.linspace(0, way[-1], min(POINTS, len(way)))
    kept = np.unique(np.clip(np.searchsorted(way, wanted), 0, len(way) - 1))
    return [[round(float(x[place]), DIGITS), round(float(y[place]), DIGITS)] for place in kept]
