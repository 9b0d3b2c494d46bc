"""Many models over many tasks: one number for each, and how sure its rank is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from worker.engine.statistics.resampling import CHUNK_NUMBERS, Array, CorpusStatistic, Whole

# Model A stands above B for sure when it does so in this share of the draws.
SURE = 0.975
# With fewer tasks the choice of tasks is most of the doubt.
FEW_TASKS = 10


@dataclass(frozen=True)
class TaskScores:
    """What every model did on one task, scaled so that tasks can be averaged.

    Either one number for each example, or a statistic for each model where a number belongs to the whole corpus.
    """

    size: int
    items: Array | None = None  # (models, size)
    corpus: Sequence[CorpusStatistic] | None = None
    category: str = ""
    weight: float = 1.0
    floor: float = 0.0
    ceiling: float = 1.0
    clusters: Whole | None = None  # examples that hang together are drawn together

    def values(self) -> Array:
        """Return each model's normalised score (models,)."""
        if self.items is not None:
            return normalised(self.items.mean(axis=1), self.floor, self.ceiling)
        assert self.corpus is not None
        return normalised(np.array([statistic.value() for statistic in self.corpus]), self.floor, self.ceiling)

    def resampled(self, weights: Array) -> Array:
        """Return normalised scores (draws, models) for weights (draws, size) over the examples."""
        if self.items is not None:
            raw = (weights @ self.items.T) / weights.sum(axis=1, keepdims=True)
        else:
            assert self.corpus is not None
            raw = np.stack([statistic.resampled(weights) for statistic in self.corpus], axis=1)
        return normalised(raw, self.floor, self.ceiling)


@dataclass(frozen=True)
class Standing:
    """One model's place, and the 95 % interval of its place."""

    score: float
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int
    p_best: float
    # Models of one group cannot be told apart from its first; numbered from 1.
    group: int


@dataclass(frozen=True)
class Ranking:
    """Standings in the order of the models given, and how often each model beat each other one."""

    standings: list[Standing]
    p_above: Array  # (models, models); a tie is half a win
    few_tasks: bool
    draws: Array = field(repr=False)  # (draws, models)


def normalised(scores: Array, floor: float, ceiling: float = 1.0) -> Array:
    """Return 0 for what a model that learned nothing reaches and 100 for a perfect one.

    Scores below the floor stay negative: cutting them off would give a guessing model points for its luck.
    """
    return 100.0 * (scores - floor) / (ceiling - floor)


def averages(scores: Array, weights: Array | None = None) -> Array:
    """Return the mean over tasks of normalised scores (models, tasks); NaN for a model that lacks one of them."""
    weights = np.ones(scores.shape[1]) if weights is None else weights
    return np.asarray(scores @ weights / weights.sum())


def borda(scores: Array) -> Array:
    """Return each model's points over tasks (models, tasks): on each, how many it leaves behind, ties half.

    A task that a model lacks (NaN) gives it nothing. That is MTEB's rule.
    """
    points = np.zeros(len(scores))
    for column in scores.T:
        present = ~np.isnan(column)
        points[present] += len(scores) - _average_ranks(column[present])
    return points


def rank_models(tasks: Sequence[TaskScores], *, draws: int, seed: int) -> Ranking:
    """Rank models by their mean score over tasks that all of them did.

    Tasks are drawn anew within their category, and examples within each task; every model sees the same draws, so
    what is hard for all moves all alike and does not blur the ranks.
    """
    weights = np.array([task.weight for task in tasks])
    scores = averages(np.stack([task.values() for task in tasks], axis=1), weights)
    random = np.random.RandomState(seed)
    copies = drawn_tasks([task.category for task in tasks], draws, random)  # (draws, tasks)
    totals = np.zeros((draws, len(scores)))
    for number, task in enumerate(tasks):
        held = np.flatnonzero(copies[:, number])
        totals[held] += task.weight * resampled_task(task, copies[held, number], random)
    drawn = totals / (copies @ weights)[:, None]
    above = _share_above(drawn)
    return Ranking(_standings(scores, drawn, above), above, len(tasks) < FEW_TASKS, drawn)


def interval_ranks(low: Array, high: Array) -> list[int]:
    """Return the place of each model as 1 + how many lie wholly above its interval."""
    return [1 + int(np.count_nonzero(low > top)) for top in high]


def drawn_tasks(categories: Sequence[str], draws: int, random: np.random.RandomState) -> npt.NDArray[np.int64]:
    """Return how often each draw holds each task (draws, tasks); each category keeps its number of tasks."""
    copies = np.zeros((draws, len(categories)), dtype=np.int64)
    for category in dict.fromkeys(categories):
        members = np.array([place for place, name in enumerate(categories) if name == category])
        chosen = random.randint(0, len(members), size=(draws, len(members)), dtype=np.int64)
        np.add.at(copies, (np.arange(draws)[:, None], members[chosen]), 1)
    return copies


def resampled_task(
    task: TaskScores,
    copies: npt.NDArray[np.int64],
    random: np.random.RandomState,
    *,
    numbers: int | None = None,
) -> Array:
    """Return copies x score (draws, models); a task that was drawn twice has twice as many examples drawn.

    `numbers` bounds how many are held at a time; the draws do not depend on it.
    """
    groups = task.size if task.clusters is None else int(task.clusters.max()) + 1
    chunk = max(1, (numbers or CHUNK_NUMBERS) // (task.size * int(copies.max(initial=1))))
    parts = [np.zeros((0, len(task.values())))]
    for start in range(0, len(copies), chunk):
        part = copies[start : start + chunk]
        rows = np.repeat(np.arange(len(part)), part * groups)
        drawn = random.randint(0, groups, size=len(rows), dtype=np.int64)
        counts = np.bincount(rows * groups + drawn, minlength=len(part) * groups)
        weights = counts.reshape(len(part), groups).astype(np.float64)
        weights = weights if task.clusters is None else weights[:, task.clusters]
        parts.append(part[:, None] * task.resampled(weights))
    return np.concatenate(parts)


def _share_above(drawn: Array) -> Array:
    """Return how often each model (row) stood above each other one (column)."""
    models = drawn.shape[1]
    above = np.empty((models, models))
    for model in range(models):
        own = drawn[:, model, None]
        above[model] = ((own > drawn).mean(axis=0) + (own >= drawn).mean(axis=0)) / 2
    return above


def _standings(scores: Array, drawn: Array, above: Array) -> list[Standing]:
    ranks = np.stack([places(row) for row in drawn])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    best, worst = np.percentile(ranks, [2.5, 97.5], axis=0, method="inverted_cdf")
    first = drawn == drawn.max(axis=1, keepdims=True)
    p_best = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    by_score, groups = places(scores), _groups(scores, above)
    return [
        Standing(
            float(scores[m]), float(low[m]), float(high[m]), int(by_score[m]), int(best[m]), int(worst[m]),
            float(p_best[m]), groups[m],
        )
        for m in range(len(scores))
    ]  # fmt: skip


def _groups(scores: Array, above: Array) -> list[int]:
    """Number groups from the top: a model opens a new one when the first of the last one is surely above it."""
    groups = [0] * len(scores)
    leader, number = -1, 0
    for model in np.argsort(-scores, kind="stable"):
        if leader < 0 or above[leader, model] >= SURE:
            leader, number = int(model), number + 1
        groups[model] = number
    return groups


def places(scores: Array) -> npt.NDArray[np.intp]:
    """Return 1 + how many are better; equal scores share a place."""
    ordered = np.sort(scores)
    return len(scores) - np.searchsorted(ordered, scores, side="right") + 1


def _average_ranks(scores: Array) -> Array:
    """Return ranks from 1 for the best; equal scores share the mean of their ranks."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(scores)])  # of runs of equal scores
    ends = np.append(starts[1:], len(scores))
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat((starts + 1 + ends) / 2.0, ends - starts)
    return ranks
