"""What own examples say of the models that were tried: an order with intervals, a test of each lead, and one answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from leaderboard.finding.told_apart import LEVEL
from leaderboard.models import Contender, ExampleSet
from leaderboard.task_kinds import lower_is_better
from worker.engine.statistics.intervals import Z_95
from worker.engine.statistics.paired import Comparison, holm, mcnemar, paired_permutation
from worker.engine.statistics.resampling import Array

DRAWS = 5000
SEED = 0


@dataclass
class Place:
    """One model's place. `lead` is how much the first is ahead of it, positive however the metric counts."""

    contender: Contender
    lead: Comparison | None = None
    p: float = 1.0  # corrected for all that are compared with the first

    @property
    def is_tied(self) -> bool:
        return self.lead is None or self.p >= LEVEL

    @property
    def cost(self) -> tuple[float, float, float, int]:
        """What is cheaper comes first: less memory, then fewer parameters, then less time."""
        model, latency = self.contender.model, self.contender.latency_ms
        numbers = (model.memory_bytes, model.parameters, latency)
        memory, parameters, time = (math.inf if number is None else float(number) for number in numbers)
        return memory, parameters, time, model.pk


@dataclass(frozen=True)
class Outcome:
    """The models that have a score, the best first, and the cheapest of those that tie with it."""

    places: Sequence[Place]
    chosen: Place | None
    floor: float | None  # what always giving the most frequent answer reaches


def of(examples: ExampleSet, contenders: Sequence[Contender]) -> Outcome:
    """Order the models that are done; tests are of pairs where every example has a number."""
    metric = examples.primary
    sign = -1.0 if lower_is_better(metric) else 1.0
    done = [one for one in contenders if one.finished_at is not None and one.value is not None]
    done.sort(key=lambda one: (-sign * (one.value or 0.0), Place(one).cost))
    places = [Place(one) for one in done]
    leads = [_lead(done[0], one, sign) for one in done[1:]]
    for place, lead, p in zip(places[1:], leads, holm([lead.p for lead in leads]), strict=True):
        place.lead, place.p = lead, p
    tied = [place for place in places if place.is_tied]
    return Outcome(places, min(tied, key=lambda place: place.cost, default=None), _floor(done, metric))


def _lead(first: Contender, other: Contender, sign: float) -> Comparison:
    a, b = (sign * np.array(one.items, dtype=np.float64) for one in (first, other))
    if len(a) == len(b) > 0:
        return mcnemar(a, b) if _are_hits(a) and _are_hits(b) else paired_permutation(a, b, draws=DRAWS, seed=SEED)
    return _apart(first, other, sign)


def _are_hits(values: Array) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _apart(first: Contender, other: Contender, sign: float) -> Comparison:
    """Set two intervals against each other, where a number belongs to all examples together; finds less than pairs."""
    difference = sign * ((first.value or 0.0) - (other.value or 0.0))
    error = math.hypot(*(((one.high or 0.0) - (one.low or 0.0)) / 2 / Z_95 for one in (first, other)))
    p = 2 * NormalDist().cdf(-abs(difference) / error) if error else float(difference == 0)
    return Comparison(difference, difference - Z_95 * error, difference + Z_95 * error, p, "paired_normal")


def _floor(done: Sequence[Contender], metric: str) -> float | None:
    for one in done:
        majority = one.floors.get("majority")
        found = majority.get("metrics", {}).get(metric) if isinstance(majority, dict) else None
        if isinstance(found, int | float):
            return float(found)
    return None
