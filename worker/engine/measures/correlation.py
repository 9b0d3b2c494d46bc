"""How well predicted numbers follow the reference: Pearson, and Spearman with ties."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engine.measures.ratios import ratio
from worker.engine.statistics.resampling import Array, OfSums


def pearson(first: Array, second: Array) -> OfSums:
    """Return Pearson's correlation; 0 where one side never moves."""
    # Sums of squares of centred numbers lose no digits.
    x, y = _centred(first), _centred(second)
    columns = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    return OfSums(columns, _pearson_of)


@dataclass(frozen=True)
class Spearman:
    """Spearman's correlation: Pearson's of the ranks, where equal numbers share the mean of theirs."""

    first: Array
    second: Array

    def value(self) -> float:
        """Return the correlation over all examples."""
        return float(self.resampled(np.ones((1, len(self.first))))[0])

    def resampled(self, weights: Array) -> Array:
        """Return the correlation for each row of weights, ranks and all."""
        x, y = _weighted_ranks(self.first, weights), _weighted_ranks(self.second, weights)
        total = weights.sum(axis=1)
        # The mean rank is (n + 1) / 2 whatever the ties.
        x -= (total[:, None] + 1) / 2
        y -= (total[:, None] + 1) / 2
        together = np.einsum("dn,dn,dn->d", weights, x, y)
        spread = np.einsum("dn,dn,dn->d", weights, x, x) * np.einsum("dn,dn,dn->d", weights, y, y)
        return ratio(together, np.sqrt(spread))


def errors(gold: Array, predicted: Array) -> dict[str, Array]:
    """Return the squared and the absolute error of each example."""
    differences = predicted - gold
    return {"squared_error": differences**2, "absolute_error": np.abs(differences)}


def _centred(values: Array) -> Array:
    centred: Array = values - values.mean()
    # A constant leaves rounding behind, which would correlate with anything.
    if np.ptp(values) == 0:
        return np.zeros_like(centred)
    scaled: Array = centred / np.abs(centred).max()
    return scaled


def _pearson_of(sums: Array) -> Array:
    total, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums), -1, 0)
    together = xy - x * y / total
    spread_x, spread_y = xx - x * x / total, yy - y * y / total
    spread = np.maximum(spread_x, 0) * np.maximum(spread_y, 0)
    # Below this share of the sum of squares a spread is rounding.
    moves = (spread_x > 1e-12 * xx) & (spread_y > 1e-12 * yy)
    return ratio(together, np.where(moves, np.sqrt(spread), 0.0))


def _weighted_ranks(values: Array, weights: Array) -> Array:
    """Return the rank (draws, n) that each example has among the drawn ones, copies counted."""
    _, inverse = np.unique(values, return_inverse=True)
    groups: npt.NDArray[np.intp] = inverse.reshape(-1)
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)  # (draws, groups)
    ranks = np.cumsum(sizes, axis=1) - (sizes - 1) / 2
    spread_out: Array = ranks[:, groups]
    return spread_out
