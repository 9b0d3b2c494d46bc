"""95 % intervals, each by the method that fits its number."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from worker.engine.statistics.resampling import Array, CorpusStatistic, Whole, resampled, without_each

Z_95 = 1.959963984540054
Method = Literal["wilson", "normal", "cluster_robust", "percentile_bootstrap", "bca_bootstrap"]


@dataclass(frozen=True)
class Interval:
    """A number, the 95 % interval around it, and how the interval was made."""

    value: float
    low: float
    high: float
    method: Method


def wilson(hits: int, total: int) -> Interval:
    """Return the Wilson score interval of a proportion (Wilson 1927), which holds near 0 and 1 too."""
    share = hits / total
    z2 = Z_95 * Z_95
    centre = share + z2 / (2 * total)
    spread = Z_95 * float(np.sqrt(share * (1 - share) / total + z2 / (4 * total * total)))
    scale = 1 + z2 / total
    return Interval(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale), "wilson")


def mean(values: Array) -> Interval:
    """Return a mean and its normal interval; a single value has no spread to learn from."""
    return _around(float(values.mean()), standard_error(values), "normal")


def clustered(values: Array, clusters: Whole) -> Interval:
    """Return a mean whose interval knows that the examples of a cluster are alike."""
    return _around(float(values.mean()), standard_error(values, clusters), "cluster_robust")


def proportion(hits: Array, clusters: Whole | None = None) -> Interval:
    """Return the share of ones among zeros and ones: by Wilson, or cluster-robust where examples hang together."""
    return wilson(int(hits.sum()), len(hits)) if clusters is None else clustered(hits, clusters)


def standard_error(values: Array, clusters: Whole | None = None) -> float:
    """Return the standard error of a mean: sqrt(Σ(s - s̄)² / (n(n - 1))), or its cluster-robust form."""
    size = len(values)
    deviations = values - values.mean()
    if clusters is not None:
        # Errors of one cluster add up before they are squared, so what they share is not averaged away.
        return float(np.sqrt((np.bincount(clusters, weights=deviations) ** 2).sum())) / size
    if size < 2:
        return 0.0
    return float(np.sqrt((deviations**2).sum() / (size * (size - 1))))


def bootstrap(
    statistics: dict[str, CorpusStatistic], size: int, *, draws: int, seed: int, clusters: Whole | None = None
) -> dict[str, Interval]:
    """Return percentile intervals; all statistics see the same resampled examples."""
    found = resampled(statistics, size, draws=draws, seed=seed, clusters=clusters)
    return {name: percentile(statistics[name].value(), values) for name, values in found.items()}


def percentile(value: float, values: Array) -> Interval:
    """Return the middle 95 % of what the draws gave."""
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(value, float(low), float(high), "percentile_bootstrap")


def bca(statistic: CorpusStatistic, size: int, *, draws: int, seed: int, clusters: Whole | None = None) -> Interval:
    """Return Efron's bias-corrected and accelerated interval (1987), for numbers whose draws lie askew.

    Costs one more evaluation for each example.
    """
    value = statistic.value()
    values = resampled({"": statistic}, size, draws=draws, seed=seed, clusters=clusters)[""]
    below = (np.count_nonzero(values < value) + 0.5 * np.count_nonzero(values == value)) / draws
    if not 0 < below < 1:
        return percentile(value, values)
    normal = NormalDist()
    bias = normal.inv_cdf(below)
    left_out = without_each(statistic, size, clusters=clusters)
    lean = left_out.mean() - left_out
    spread = float((lean**2).sum()) ** 1.5
    acceleration = float((lean**3).sum()) / (6 * spread) if spread else 0.0
    levels = []
    for z in (-Z_95, Z_95):
        shifted = bias + (bias + z) / (1 - acceleration * (bias + z))
        levels.append(100 * normal.cdf(shifted))
    low, high = np.percentile(values, levels)
    return Interval(value, float(low), float(high), "bca_bootstrap")


def _around(value: float, error: float, method: Method) -> Interval:
    return Interval(value, value - Z_95 * error, value + Z_95 * error, method)
