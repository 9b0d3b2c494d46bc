"""A large board: the mean of a model in each draw, one model at a time, and ranks among whichever models are asked.

`rank_models` compares each with each, which thousands of models do not allow. Here every draw comes from a seed, so
that models see the same draws though they are computed on different days; what is kept of a model is one number for
each draw. Ranks are then had among any part of the models, as if the others were not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from worker.engine.statistics.intervals import Z_95
from worker.engine.statistics.ranking import SURE, TaskScores, drawn_tasks, places, resampled_task
from worker.engine.statistics.resampling import Array

# Numbers that are held at a time while a task is drawn; this runs in processes that should stay small.
NUMBERS = 500_000
BLOCK = 128
Single = npt.NDArray[np.float32]
Whole = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Plan:
    """Which tasks each draw holds, and how often; the same for every model of a board."""

    copies: npt.NDArray[np.int64]  # (draws, tasks)
    weights: Array  # (tasks,)
    seed: int

    @property
    def draws(self) -> int:
        return len(self.copies)


def plan_of(categories: Sequence[str], weights: Sequence[float], *, draws: int, seed: int) -> Plan:
    """Draw tasks anew within their category."""
    random = np.random.RandomState([seed, 0])
    return Plan(drawn_tasks(categories, draws, random), np.asarray(weights, dtype=float), seed)


def drawn_items(plan: Plan, number: int, task: TaskScores) -> Array:
    """Return copies x score (draws, models) of one task from the numbers of its examples."""
    copies = plan.copies[:, number]
    held = np.flatnonzero(copies)
    found = np.zeros((plan.draws, len(task.values())))
    random = np.random.RandomState([plan.seed, 1 + number])
    found[held] = resampled_task(task, copies[held], random, numbers=NUMBERS)
    return found


def drawn_interval(plan: Plan, number: int, model: int, value: float, low: float, high: float) -> Array:
    """Return copies x score (draws,) of one task where all that is known is a score and its 95 % interval.

    Normal draws, each half of the interval with a spread of its own. They are spread evenly over the distribution, so
    that their middle 95 % is the interval that was given, and they are another model's in no way: what is hard for
    both is not known, so a difference counts for less than it would with examples.
    """
    copies = plan.copies[:, number]
    order = np.random.RandomState([plan.seed, 1 + number, model]).permutation(plan.draws)
    z = _even_normal(plan.draws)[order] / np.sqrt(np.maximum(copies, 1))
    spread = np.where(z < 0, value - low, high - value) / Z_95
    return np.asarray(copies * (value + spread * z))


def mean_in_draws(plan: Plan, by_task: Single) -> Single:
    """Return the weighted mean in each draw (models, draws) of copies x score (tasks, models, draws)."""
    total = np.tensordot(plan.weights.astype(np.float32), by_task, axes=1)
    return np.asarray(total / (plan.copies @ plan.weights), dtype=np.float32)


def middle(drawn: Single) -> tuple[Array, Array]:
    """Return the ends of the middle 95 % of each model's draws (models, draws)."""
    if not len(drawn):
        return np.zeros(0), np.zeros(0)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=1)
    return low, high


@dataclass(frozen=True)
class Ranks:
    """Between which ranks models stand in the middle 95 % of draws, and how often each is first."""

    best: npt.NDArray[np.int64]
    worst: npt.NDArray[np.int64]
    p_best: Array


def rank_intervals(drawn: Single, chosen: Whole) -> Ranks:
    """Return the ranks of the chosen models among all (models, draws); equal ones share the best place."""
    models, draws = drawn.shape
    ordered = np.sort(np.ascontiguousarray(drawn.T), axis=1)  # (draws, models)
    own = np.ascontiguousarray(drawn[chosen].T)  # (draws, chosen)
    found = np.empty((draws, len(chosen)), dtype=np.int64)
    for draw in range(draws):
        found[draw] = models - np.searchsorted(ordered[draw], own[draw], side="right") + 1
    first = (own == ordered[:, -1:]) / np.count_nonzero(ordered == ordered[:, -1:], axis=1)[:, None]
    found.sort(axis=0)
    low, high = (max(0, int(np.ceil(share * draws)) - 1) for share in (0.025, 0.975))
    return Ranks(found[low], found[high], first.mean(axis=0))


def tie_groups(drawn: Single) -> npt.NDArray[np.int64]:
    """Number groups from the top of models in the order of their scores (models, draws).

    A model opens a new group when the first of the last one stands surely above it.
    """
    groups = np.empty(len(drawn), dtype=np.int64)
    leader, start, number = 0, 0, 1
    while start < len(drawn):
        block = drawn[start : start + BLOCK]
        own = drawn[leader]
        sure = (np.mean(own > block, axis=1) + np.mean(own >= block, axis=1)) / 2 >= SURE
        until = int(np.argmax(sure)) if sure.any() else len(block)
        groups[start : start + until] = number
        start += until
        if until < len(block):
            leader, number = start, number + 1
    return groups


def ranks_of(scores: Array) -> npt.NDArray[np.intp]:
    """Return 1 + how many are better, where scores that differ in the last digits alone are equal."""
    return places(np.round(scores, 9))


@cache
def _even_normal(draws: int) -> Array:
    normal = NormalDist()
    found = np.array([normal.inv_cdf((place + 0.5) / draws) for place in range(draws)])
    found.setflags(write=False)
    return found
