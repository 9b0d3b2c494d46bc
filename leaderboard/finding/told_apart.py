"""Two models on the benchmarks that both were measured on: how far apart they are, and whether that may be chance.

Where the examples of both are kept and the metric is a mean over them, what both find hard cancels out; else the
intervals of the two scores are set against each other, which finds less.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from statistics import NormalDist

from django.core.cache import caches

from leaderboard.comparing.items import Items, Reader
from leaderboard.finding.evidence import Score, Scores
from leaderboard.models import Evaluation
from worker.engine.statistics.intervals import Z_95
from worker.engine.statistics.paired import paired_normal

MAX_PAIRED = 30  # of the models behind the leader, how many are compared by their examples
MAX_READ = 60  # files of examples that one question opens; what was compared before is remembered
REMEMBERED = 30 * 24 * 3600
# The chance of so large a difference between equal models below which they are told apart.
LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """How much better the first model is, as a mean over the benchmarks in common, on the boards' scale."""

    value: float
    low: float
    high: float
    p: float
    shared: int  # benchmarks in common
    paired: int  # of these, how many by the same examples


Pair = tuple[Score, Score]


def differences(leader: Scores, others: Mapping[int, Scores]) -> dict[int, Difference]:
    """Compare the leader with the others, the best first; who has no benchmark in common with it is left out."""
    pairs = {
        model: [(leader[benchmark], row[benchmark]) for benchmark in leader if benchmark in row]
        for model, row in others.items()
    }
    nearest = islice(pairs.values(), MAX_PAIRED)
    errors = _paired_errors([pair for row in nearest for pair in row])
    return {model: _difference(row, errors) for model, row in pairs.items() if row}


def _difference(pairs: list[Pair], errors: Mapping[tuple[int, int], float]) -> Difference:
    value = math.fsum(one.normalised - other.normalised for one, other in pairs) / len(pairs)
    found = [errors.get(_key(pair)) for pair in pairs]
    each = [
        math.hypot(one.error, other.error) if error is None else error * abs(one.per_unit)
        for (one, other), error in zip(pairs, found, strict=True)
    ]
    error = math.sqrt(math.fsum(number**2 for number in each)) / len(pairs)
    p = 2 * NormalDist().cdf(-abs(value) / error) if error else float(abs(value) < 1e-9)
    paired = sum(one is not None for one in found)
    return Difference(value, value - Z_95 * error, value + Z_95 * error, p, len(pairs), paired)


def _key(pair: Pair) -> tuple[int, int]:
    return pair[0].evaluation, pair[1].evaluation


def _paired_errors(pairs: Iterable[Pair]) -> dict[tuple[int, int], float]:
    """Return the standard error of each difference over the same examples, where there is one; on the metric's scale.

    Scores never change, so what was found is remembered.
    """
    wanted = [pair for pair in pairs if pair[0].items and pair[1].items]
    cache = caches["rendered"]
    known: dict[str, float | None] = cache.get_many([_name(pair) for pair in wanted])
    fresh: dict[str, float | None] = {}
    rest = [pair for pair in wanted if _name(pair) not in known]
    opened = _examples(rest)
    for pair in rest:
        one, other = (opened.get(score.evaluation) for score in pair)
        if one is not None and other is not None:
            fresh[_name(pair)] = _error(one, other, pair[0].benchmark.primary_metric)
    if fresh:
        cache.set_many(fresh, REMEMBERED)
    found = {**known, **fresh}
    return {_key(pair): error for pair in wanted if (error := found.get(_name(pair))) is not None}


def _name(pair: Pair) -> str:
    return f"told-apart:{pair[0].benchmark.primary_metric}:{pair[0].items}:{pair[1].items}"


def _examples(pairs: Iterable[Pair]) -> dict[int, Items | None]:
    """Return what is kept of the examples of each evaluation, within MAX_READ files."""
    wanted: dict[int, None] = {}
    for pair in pairs:
        if len(wanted.keys() | set(_key(pair))) <= MAX_READ:
            wanted |= dict.fromkeys(_key(pair))
    rows = Evaluation.objects.filter(pk__in=wanted).select_related("items").only("pk", "items") if wanted else ()
    reader = Reader()
    return {row.pk: reader.of(row) for row in rows}


def _error(one: Items, other: Items, metric: str) -> float | None:
    if metric not in one.metrics or metric not in other.metrics or one.ids != other.ids:
        return None
    found = paired_normal(one.metrics[metric], other.metrics[metric], one.clusters)
    return (found.high - found.low) / 2 / Z_95
