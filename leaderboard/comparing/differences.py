"""Differences of models on the benchmarks that they share, and which of them are more than chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from leaderboard.comparing.items import Items, Reader
from leaderboard.comparing.verdicts import AHEAD, APART, BEHIND, EVEN, OVERLAP
from leaderboard.metric_names import LOWER_IS_BETTER
from leaderboard.models import Benchmark, Evaluation
from worker.engine.statistics import paired
from worker.engine.statistics.intervals import Z_95
from worker.engine.statistics.power import detectable_paired

LEVEL = 0.05
FEW = 200  # with fewer examples names are swapped instead of trusting the normal curve
DRAWS = 10_000


@dataclass(frozen=True)
class Pair:
    """What the first of two models has over the second, on the scale of the metric.

    Where single examples were compared there is a p-value; `corrected` is Holm's over all pairs that are shown.
    """

    first: int
    second: int
    metric: str
    difference: float
    low: float
    high: float
    p: float | None = None
    corrected: float | None = None
    test: str = ""

    @property
    def is_tested(self) -> bool:
        return self.p is not None

    @property
    def is_worth(self) -> bool:
        """Whether the difference, whatever it may be worth, is one for the better."""
        return (self.difference < 0) is (self.metric in LOWER_IS_BETTER)

    @property
    def verdict(self) -> str:
        """In one word: ahead, behind or even; apart or overlap where only intervals can be compared."""
        if self.corrected is None:
            return APART if self.low > 0 or self.high < 0 else OVERLAP
        if self.corrected >= LEVEL:
            return EVEN
        return AHEAD if self.is_worth else BEHIND

    @property
    def smallest(self) -> float | None:
        """The smallest difference that four of five repeats of this test would have found."""
        error = (self.high - self.low) / 2 / Z_95
        return detectable_paired(error) if self.is_tested and error else None


@dataclass(frozen=True)
class Task:
    """One version of a benchmark: what each model reached, in their order, and the pairs that are shown."""

    benchmark: Benchmark
    results: Sequence[Evaluation | None]
    tested: str  # the metric whose examples are compared, "" where there is none
    pairs: Sequence[Pair]

    @property
    def metric(self) -> str:
        return self.benchmark.primary_metric

    @property
    def is_other(self) -> bool:
        """Whether what is tested is another metric than the one that ranks, which has no number for each example."""
        return self.tested not in {"", self.metric}

    @cached_property
    def best(self) -> set[int]:
        """The places of the models with the best score."""
        values = {place: one.value for place, one in enumerate(self.results) if one and one.value is not None}
        if len(values) < 2:
            return set()
        top = min(values.values()) if self.metric in LOWER_IS_BETTER else max(values.values())
        return {place for place, value in values.items() if value == top}

    @property
    def is_shared(self) -> bool:
        return sum(one is not None for one in self.results) > 1

    @property
    def cells(self) -> "list[Cell]":
        """What each model reached, and what it has over the first one."""
        over = {pair.first: pair for pair in self.pairs if pair.second == 0}
        return [Cell(one, over.get(place), place in self.best) for place, one in enumerate(self.results)]

    @property
    def smallest(self) -> float | None:
        """The smallest difference that this benchmark could have shown between any two that are compared."""
        return min((pair.smallest for pair in self.pairs if pair.smallest is not None), default=None)


@dataclass(frozen=True)
class Cell:
    """One model on one benchmark; `pair` compares it with the first model."""

    evaluation: Evaluation | None
    pair: Pair | None
    is_best: bool


@dataclass(frozen=True)
class Tally:
    """On how many benchmarks one model is ahead of another, behind, and neither."""

    first: int
    second: int
    ahead: int
    behind: int
    even: int
    untested: int

    @property
    def turned(self) -> "Tally":
        """The same as the other one of the two would say it."""
        return Tally(self.second, self.first, self.behind, self.ahead, self.even, self.untested)


def tasks_of(held: Sequence[Mapping[int, Evaluation]], reader: Reader, *, all_pairs: bool = False) -> list[Task]:
    """Return every benchmark of any of the models, those that most share first.

    Each model is compared with the first one, or with `all_pairs` with each other one.
    """
    benchmarks = {pk: one.benchmark for rows in held for pk, one in rows.items()}
    order = sorted(
        benchmarks.values(), key=lambda one: (-sum(one.pk in rows for rows in held), one.title.lower(), one.pk)
    )
    places = [(a, b) for b, a in combinations(range(len(held)), 2) if all_pairs or b == 0]
    return corrected([_task(one, [rows.get(one.pk) for rows in held], places, reader) for one in order])


def corrected(tasks: Sequence[Task]) -> list[Task]:
    """Correct the p-values of all pairs together (Holm 1979): who looks at many, sees some by chance."""
    tested = [pair for task in tasks for pair in task.pairs if pair.p is not None]
    values = iter(paired.holm([pair.p for pair in tested if pair.p is not None]))
    return [
        replace(
            task,
            pairs=[replace(pair, corrected=next(values)) if pair.is_tested else pair for pair in task.pairs],
        )
        for task in tasks
    ]


def tallies(tasks: Iterable[Task]) -> list[Tally]:
    """Count for each two models what their benchmarks say."""
    found: dict[tuple[int, int], list[str]] = {}
    for task in tasks:
        for pair in task.pairs:
            found.setdefault((pair.first, pair.second), []).append(pair.verdict)
    return [
        Tally(
            *places,
            said.count(AHEAD),
            said.count(BEHIND),
            said.count(EVEN),
            said.count(APART) + said.count(OVERLAP),
        )
        for places, said in sorted(found.items(), key=lambda one: one[0][::-1])
    ]


def metric_of(benchmark: Benchmark, sides: Sequence[Items]) -> str:
    """Return the metric by which single examples can be compared: the one that ranks, else the first that has them."""
    shared = [name for name in sides[0].metrics if all(name in one.metrics for one in sides)] if sides else []
    if benchmark.primary_metric in shared:
        return benchmark.primary_metric
    return next((name for name in benchmark.kind.rankable if name in shared), "")


def _task(
    benchmark: Benchmark, results: Sequence[Evaluation | None], places: Iterable[tuple[int, int]], reader: Reader
) -> Task:
    present = [one for one in results if one is not None]
    items = {one.pk: reader.of(one) for one in present} if len(present) > 1 else {}
    tested = metric_of(benchmark, [one for one in items.values() if one is not None])
    pairs = [
        _pair(first, second, a, b, items, tested)
        for first, second in places
        if (a := results[first]) is not None and (b := results[second]) is not None
    ]
    return Task(benchmark, results, tested if any(pair.is_tested for pair in pairs) else "", pairs)


def _pair(
    first: int, second: int, a: Evaluation, b: Evaluation, items: Mapping[int, Items | None], metric: str
) -> Pair:
    of_a, of_b = items.get(a.pk), items.get(b.pk)
    if metric and of_a and of_b and of_a.ids == of_b.ids:
        return _tested(first, second, of_a, of_b, metric)
    return _of_intervals(first, second, a, b)


def _tested(first: int, second: int, a: Items, b: Items, metric: str) -> Pair:
    one, other, clusters = a.metrics[metric], b.metrics[metric], a.clusters
    if clusters is not None:
        found = paired.paired_normal(one, other, clusters)
    elif np.isin(one, (0, 1)).all() and np.isin(other, (0, 1)).all():
        found = paired.mcnemar(one, other)
    elif len(one) < FEW:
        found = paired.paired_permutation(one, other, draws=DRAWS, seed=0)
    else:
        found = paired.paired_normal(one, other)
    return Pair(first, second, metric, found.difference, found.low, found.high, found.p, test=found.test)


def _of_intervals(first: int, second: int, a: Evaluation, b: Evaluation) -> Pair:
    """Compare by the intervals alone: between the ends that lie closest, and those that lie farthest."""
    (of_a, a_low, a_high), (of_b, b_low, b_high) = _ends(a), _ends(b)
    return Pair(first, second, a.benchmark.primary_metric, of_a - of_b, a_low - b_high, a_high - b_low)


def _ends(one: Evaluation) -> tuple[float, float, float]:
    """Return a score and the ends of its interval."""
    assert one.value is not None  # a constraint: finished evaluations have one
    return one.value, one.value if one.low is None else one.low, one.value if one.high is None else one.high
