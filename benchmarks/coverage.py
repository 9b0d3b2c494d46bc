"""`python -m benchmarks.coverage`: how often the 95 % intervals hold the true number, on data whose truth is known.

Each case draws a sample, makes the interval as a score would, and looks whether the truth lies in it.
"""

import argparse
from collections.abc import Callable
from math import asin, pi

import numpy as np

from worker.engine.measures.correlation import Spearman
from worker.engine.measures.ratios import f1_of
from worker.engine.statistics import intervals
from worker.engine.statistics.intervals import Interval
from worker.engine.statistics.resampling import Array, OfSums

Case = Callable[[np.random.RandomState, int], tuple[float, Interval]]

# Of three labels, the share of each answer (column) to each truth (row).
ANSWERS = np.array([[0.42, 0.05, 0.03], [0.06, 0.20, 0.04], [0.04, 0.04, 0.12]])
CORRELATION = 0.6
CLUSTER = 5


def proportion(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """200 hits and misses, 85 % of them hits."""
    return 0.85, intervals.wilson(int((random.rand(200) < 0.85).sum()), 200)


def rare_proportion(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """200 hits and misses, 4 % of them hits."""
    return 0.04, intervals.wilson(int((random.rand(200) < 0.04).sum()), 200)


def mean(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """300 numbers between 0 and 1 that lie askew, as the F1 of answers does."""
    return 0.7, intervals.mean(random.beta(1.4, 0.6, size=300))


def clustered_mean(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """100 passages of five questions; what a passage is like decides half of the luck."""
    shares = random.beta(0.7, 0.3, size=100)
    hits = (random.rand(100, CLUSTER) < shares[:, None]).astype(np.float64)
    return 0.7, intervals.clustered(hits.ravel(), np.repeat(np.arange(100), CLUSTER))


def macro_f1(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """Macro-F1 of three unequal labels over 300 examples, by the percentile bootstrap."""
    return float(_macro_f1(ANSWERS)), intervals.bootstrap({"f1": _f1_sample(random)}, 300, draws=draws, seed=0)["f1"]


def macro_f1_bca(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """The same, by the bias-corrected and accelerated bootstrap."""
    return float(_macro_f1(ANSWERS)), intervals.bca(_f1_sample(random), 300, draws=draws, seed=0)


def spearman(random: np.random.RandomState, draws: int) -> tuple[float, Interval]:
    """Spearman's correlation of 300 pairs of normal numbers, by the percentile bootstrap."""
    x = random.normal(size=300)
    y = CORRELATION * x + (1 - CORRELATION**2) ** 0.5 * random.normal(size=300)
    found = intervals.bootstrap({"rho": Spearman(x, y)}, 300, draws=draws, seed=0)["rho"]
    return 6 / pi * asin(CORRELATION / 2), found


CASES: dict[str, Case] = {
    "proportion": proportion,
    "rare proportion": rare_proportion,
    "mean": mean,
    "clustered mean": clustered_mean,
    "macro-F1": macro_f1,
    "macro-F1, BCa": macro_f1_bca,
    "Spearman": spearman,
}


def coverage(case: Case, *, replicates: int, draws: int, seed: int = 1) -> float:
    """Return the share of intervals that hold the truth."""
    random = np.random.RandomState(seed)
    held = 0
    for _ in range(replicates):
        truth, interval = case(random, draws)
        held += interval.low <= truth <= interval.high
    return held / replicates


def _f1_sample(random: np.random.RandomState) -> OfSums:
    labels = len(ANSWERS)
    cells = random.choice(labels * labels, size=300, p=ANSWERS.ravel())
    return OfSums(
        np.eye(labels * labels)[cells], lambda sums: _macro_f1(sums.reshape(*sums.shape[:-1], labels, labels))
    )


def _macro_f1(confusion: Array) -> Array:
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    sums = np.stack([hits, confusion.sum(axis=-2), confusion.sum(axis=-1)], axis=-1)
    return np.asarray(f1_of(sums).mean(axis=-1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=2000)
    options = parser.parse_args()
    for name, case in CASES.items():
        share = coverage(case, replicates=options.replicates, draws=options.draws)
        print(f"{name:16} {100 * share:5.1f} %   {case.__doc__}", flush=True)


if __name__ == "__main__":
    main()
