"""Precision, recall and F1 from sums (..., 3): right ones, predicted ones, wanted ones. Nothing over nothing is 0."""

import numpy as np

from worker.engine.statistics.resampling import Array


def ratio(part: Array, whole: Array) -> Array:
    """Divide, with 0 where there is nothing to divide by."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)


def precision_of(sums: Array) -> Array:
    """Return right over predicted."""
    return ratio(sums[..., 0], sums[..., 1])


def recall_of(sums: Array) -> Array:
    """Return right over wanted."""
    return ratio(sums[..., 0], sums[..., 2])


def f1_of(sums: Array) -> Array:
    """Return the harmonic mean of precision and recall."""
    return ratio(2 * sums[..., 0], sums[..., 1] + sums[..., 2])
