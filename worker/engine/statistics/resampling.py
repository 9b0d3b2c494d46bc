"""Examples drawn anew with replacement, and numbers that can be had again for every draw."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]

# Numbers that are held at a time: (chunk, n) weights of 8 bytes each.
CHUNK_NUMBERS = 4_000_000


class CorpusStatistic(Protocol):
    """A number that belongs to all examples together and can be had again for any resampling of them."""

    def value(self) -> float:
        """Return the number over all examples, each counted once."""

    def resampled(self, weights: Array) -> Array:
        """Return the number (draws,) for weights (draws, n): how often each draw holds each example."""


@dataclass(frozen=True)
class OfSums:
    """A number that depends on the sums of some counts over the examples alone: BLEU, F1, bits per byte ..."""

    counts: Array  # (n, columns)
    formula: Callable[[Array], Array]  # from sums (..., columns) to (...)

    def value(self) -> float:
        """Return the number over all examples."""
        return float(self.formula(self.counts.sum(axis=0)))

    def resampled(self, weights: Array) -> Array:
        """Return the number for each row of weights."""
        return self.formula(weights @ self.counts)


def mean_of(values: Array) -> OfSums:
    """Return the mean of one number for each example, as a statistic that can be resampled."""
    columns = np.stack([values, np.ones_like(values)], axis=1)
    return OfSums(columns, lambda sums: np.asarray(sums[..., 0] / sums[..., 1]))


def draws_of(size: int, *, draws: int, seed: int, clusters: Whole | None = None) -> Iterator[Array]:
    """Yield weights (chunk, n): how often each draw of n examples with replacement holds each of them.

    With clusters, whole clusters are drawn: examples that hang together stay together.
    """
    # RandomState, because numpy promises that its stream never changes; the newer generators may, and with them
    # the interval of a published score.
    random = np.random.RandomState(seed)
    groups = size if clusters is None else int(clusters.max()) + 1
    chunk = max(1, CHUNK_NUMBERS // size)
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        drawn = random.randint(0, groups, size=(rows, groups), dtype=np.int64)
        weights = _counts(drawn, groups)
        yield weights if clusters is None else weights[:, clusters]


def resampled(
    statistics: dict[str, CorpusStatistic], size: int, *, draws: int, seed: int, clusters: Whole | None = None
) -> dict[str, Array]:
    """Return the numbers (draws,) of each statistic; all see the same draws."""
    parts: dict[str, list[Array]] = {name: [] for name in statistics}
    for weights in draws_of(size, draws=draws, seed=seed, clusters=clusters):
        for name, statistic in statistics.items():
            parts[name].append(statistic.resampled(weights))
    return {name: np.concatenate(part) for name, part in parts.items()}


def without_each(statistic: CorpusStatistic, size: int, *, clusters: Whole | None = None) -> Array:
    """Return the number with each example, or each cluster, left out once: the jackknife."""
    groups = np.arange(size) if clusters is None else clusters
    count = int(groups.max()) + 1
    chunk = max(1, CHUNK_NUMBERS // size)
    parts = []
    for start in range(0, count, chunk):
        left_out = np.arange(start, min(start + chunk, count))
        parts.append(statistic.resampled((groups[None, :] != left_out[:, None]).astype(np.float64)))
    return np.concatenate(parts)


def _counts(drawn: npt.NDArray[np.int64], size: int) -> Array:
    """Return how often each row of numbers (rows, any) holds each of 0 to size - 1."""
    rows = len(drawn)
    flat = (drawn + np.arange(rows, dtype=np.int64)[:, None] * size).ravel()
    return np.bincount(flat, minlength=rows * size).reshape(rows, size).astype(np.float64)
