"""The score of parts of a benchmark: short and long texts, languages, labels, the values of a column. No torch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.marks import Marks, named
from worker.engine.statistics.intervals import Interval, clustered, mean, proportion
from worker.engine.statistics.resampling import Array, CorpusStatistic, Whole, draws_of
from worker.engine.tasks.task import Measure, Measured, Task

# A slice of fewer examples says next to nothing, and would let a reader guess at single hidden answers.
SMALLEST = 20
MOST_SLICES = 50
LENGTH_PARTS = 4
# Fewer than for the score itself, and fewer still of many slices: each is another bootstrap of all rows.
DRAWS, ALL_DRAWS, LEAST_DRAWS = 1000, 20_000, 200


@dataclass(frozen=True)
class Slice:
    """Some of the examples, by what they have in common."""

    by: str
    name: str
    members: Array  # (n,) of zeros and ones

    @property
    def n(self) -> int:
        """Return how many examples it holds."""
        return int(self.members.sum())


def by_length(counts: Sequence[int]) -> list[Slice]:
    """Return quarters from the shortest texts to the longest, by their characters; equal lengths stay together."""
    lengths = np.array(counts, dtype=np.int64)
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, LENGTH_PARTS + 1)[1:-1], method="lower"))
    parts = np.searchsorted(edges, lengths, side="left")
    slices = []
    for part in np.unique(parts):
        inside = lengths[parts == part]
        low, high = int(inside.min()), int(inside.max())
        slices.append(Slice("length", str(low) if low == high else f"{low}-{high}", (parts == part) * 1.0))
    return slices


def by_value(by: str, values: Sequence[Any]) -> list[Slice]:
    """Return a slice for each value of a label or a column, the most frequent first, at most MOST_SLICES."""
    names = [named(value) for value in values]
    counts = Counter(names)
    frequent = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_SLICES]
    return [Slice(by, name, np.array([float(other == name) for other in names])) for name in frequent]


def scores(
    task: Task[Any], measured: Measured, marks: Marks, *, primary: str, draws: int, seed: int
) -> list[dict[str, Any]]:
    """Return the score of every part of the benchmark that is large enough, and by which metric it is."""
    slices = [part for found in _slices(marks) if len(found) > 1 for part in found]
    measure = _measure(task, primary)
    if measure is None or not slices or measure.name not in {*measured.corpus, *measured.items}:
        return []
    name = measure.name
    if name in measured.corpus:
        draws = min(draws, DRAWS, max(LEAST_DRAWS, ALL_DRAWS // len(slices)))
        rows = scores_of_corpus(slices, measured.corpus[name], draws=draws, seed=seed, clusters=measured.clusters)
    else:
        rows = scores_of_items(
            slices, measured.items[name], is_proportion=measure.kind == "proportion", clusters=measured.clusters
        )
    return [{"metric": name, **row} for row in rows if np.isfinite([row["value"], row["low"], row["high"]]).all()]


def _slices(marks: Marks) -> list[list[Slice]]:
    lengths = [by_length(marks.lengths)] if marks.lengths else []
    scripts = [by_value("script", marks.scripts)] if marks.scripts else []
    return [*lengths, *scripts, *(by_value(name, values) for name, values in marks.columns.items())]


def _measure(task: Task[Any], primary: str) -> Measure | None:
    """Return the metric by which parts can be compared: the primary one, unless it needs examples of every class."""
    measures = [task.measure_of(primary), *task.measures]
    return next((measure for measure in measures if measure.rankable and not measure.of_all_classes), None)


def scores_of_items(
    slices: Sequence[Slice], values: Array, *, is_proportion: bool, clusters: Whole | None = None
) -> list[dict[str, Any]]:
    """Return count, score and interval of each slice that is large enough, for a measure with a number per example."""
    rows = []
    for part in _large(slices):
        kept = part.members > 0
        rows.append(_row(part, _interval(values[kept], is_proportion, None if clusters is None else clusters[kept])))
    return rows


def scores_of_corpus(
    slices: Sequence[Slice], statistic: CorpusStatistic, *, draws: int, seed: int, clusters: Whole | None = None
) -> list[dict[str, Any]]:
    """Return the same for a measure of all examples together: a slice gives the others no weight."""
    large = _large(slices)
    if not large:
        return []
    found: list[list[Array]] = [[] for _ in large]
    for weights in draws_of(len(large[0].members), draws=draws, seed=seed, clusters=clusters):
        for values, part in zip(found, large, strict=True):
            drawn = weights * part.members
            # A draw without a single example of the slice says nothing of it.
            values.append(statistic.resampled(drawn[drawn.sum(axis=1) > 0]))
    rows = []
    for values, part in zip(found, large, strict=True):
        value = float(statistic.resampled(part.members[None, :])[0])
        low, high = np.percentile(np.concatenate(values), [2.5, 97.5])
        rows.append(_row(part, Interval(value, float(low), float(high), "percentile_bootstrap")))
    return rows


def smallest_of(slices: Sequence[Slice]) -> Mapping[str, int]:
    """Return the least count of examples of each kind of slice, those that are too small included."""
    least: dict[str, int] = {}
    for part in slices:
        least[part.by] = min(part.n, least.get(part.by, part.n))
    return least


def _large(slices: Sequence[Slice]) -> list[Slice]:
    return [part for part in slices if part.n >= SMALLEST]


def _interval(values: Array, is_proportion: bool, clusters: Whole | None) -> Interval:
    if clusters is not None:
        _names, groups = np.unique(clusters, return_inverse=True)
        return clustered(values, groups)
    return proportion(values) if is_proportion else mean(values)


def _row(part: Slice, interval: Interval) -> dict[str, Any]:
    return {
        "by": part.by,
        "name": part.name,
        "n": part.n,
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
    }
