"""Two models on the same examples. What both find hard cancels out, so small differences show."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from worker.engine.statistics.corrections import holm as holm  # beside the tests whose p-values it corrects
from worker.engine.statistics.intervals import Z_95, percentile, standard_error
from worker.engine.statistics.resampling import CHUNK_NUMBERS, Array, CorpusStatistic, Whole, resampled

Test = Literal["mcnemar_exact", "paired_normal", "paired_bootstrap", "paired_permutation"]
# Up to this many examples that differ, every assignment of signs is tried: 2 ** 12.
ALL_SIGNS = 12


@dataclass(frozen=True)
class Comparison:
    """The difference A - B with its 95 % interval, and how likely so large a one is between equal models."""

    difference: float
    low: float
    high: float
    p: float
    test: Test


def mcnemar(a: Array, b: Array) -> Comparison:
    """Compare two rows of zeros and ones: exact McNemar, with the normal interval of the paired difference."""
    only_a = int(np.count_nonzero(a > b))
    only_b = int(np.count_nonzero(b > a))
    p = exact_mcnemar(only_a, only_b)
    normal = paired_normal(a, b)
    return Comparison(normal.difference, normal.low, normal.high, p, "mcnemar_exact")


def exact_mcnemar(only_a: int, only_b: int) -> float:
    """Return 2 P(Bin(only_a + only_b, 1/2) <= the smaller), at most 1."""
    total = only_a + only_b
    half = math.lgamma(total + 1) - total * math.log(2)
    terms = (half - math.lgamma(k + 1) - math.lgamma(total - k + 1) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * math.fsum(math.exp(term) for term in terms))


def paired_normal(a: Array, b: Array, clusters: Whole | None = None) -> Comparison:
    """Compare two rows of numbers by the mean of their differences over its standard error."""
    differences = a - b
    mean, error = float(differences.mean()), standard_error(differences, clusters)
    if not error:
        return Comparison(mean, mean, mean, 1.0 if mean == 0 else 0.0, "paired_normal")
    p = 2 * NormalDist().cdf(-abs(mean) / error)
    return Comparison(mean, mean - Z_95 * error, mean + Z_95 * error, p, "paired_normal")


def paired_bootstrap(
    a: CorpusStatistic, b: CorpusStatistic, size: int, *, draws: int, seed: int, clusters: Whole | None = None
) -> Comparison:
    """Compare two numbers of a whole corpus over the same resampled examples."""
    found = resampled({"a": a, "b": b}, size, draws=draws, seed=seed, clusters=clusters)
    differences = found["a"] - found["b"]
    interval = percentile(a.value() - b.value(), differences)
    # One is added, for a p of zero would claim more than so many draws can know (Davison and Hinkley 1997, 4.2).
    tail = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    p = min(1.0, 2 * (1 + int(tail)) / (1 + draws))
    return Comparison(interval.value, interval.low, interval.high, p, "paired_bootstrap")


def paired_permutation(a: Array, b: Array, *, draws: int, seed: int) -> Comparison:
    """Compare two rows of numbers by how often swapping their names at random makes so large a difference."""
    differences = a - b
    telling = differences[differences != 0]
    normal = paired_normal(a, b)
    observed = abs(float(telling.sum()))
    # Sums in another order differ in the last digits; those are ties.
    slack = 1e-12 * float(np.abs(telling).sum())
    if len(telling) <= ALL_SIGNS:
        signs = 1 - 2 * (np.arange(2 ** len(telling))[:, None] >> np.arange(len(telling)) & 1)
        p = float(np.mean(np.abs(signs @ telling) >= observed - slack))
    else:
        p = (1 + _as_large(telling, observed - slack, draws, seed)) / (1 + draws)
    return Comparison(normal.difference, normal.low, normal.high, p, "paired_permutation")


def _as_large(differences: Array, observed: float, draws: int, seed: int) -> int:
    random = np.random.RandomState(seed)
    chunk = max(1, CHUNK_NUMBERS // len(differences))
    found = 0
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        signs = 1.0 - 2.0 * random.randint(0, 2, size=(rows, len(differences)), dtype=np.int64)
        found += int(np.count_nonzero(np.abs(signs @ differences) >= observed))
    return found
