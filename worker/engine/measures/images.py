"""Images to labels: whether the right one is among the first that a model names."""

from collections.abc import Sequence

import numpy as np

from worker.engine.statistics.resampling import Array


def top(golds: Sequence[str], ranked: Sequence[Sequence[str]], cutoff: int) -> Array:
    """Return 1 for each image whose label is among the first `cutoff` that were named, best first."""
    return np.array([float(gold in labels[:cutoff]) for gold, labels in zip(golds, ranked, strict=True)])
