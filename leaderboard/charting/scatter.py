"""Scores against what models cost: the points, the front that nothing beats, and the best within some limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leaderboard import pareto
from leaderboard.charting import axes, crowd
from leaderboard.charting.axes import Axis
from leaderboard.charting.measures import Measure
from leaderboard.ranking import Places
from worker.engine.statistics.resampling import Array

CLEAR = 150  # points that can be followed; the others are drawn small, those that cover each other once


@dataclass(frozen=True)
class Point:
    """A model: its places in per cent from the left and from the top, and what is said of it."""

    place: int  # in the board, from 0
    name: str
    rank: int
    score: float
    low: float
    high: float
    cost: float
    cost_text: str
    x: float
    y: float
    top: float
    bottom: float
    number: int = 0  # on the front, from 1; 0 off it

    @property
    def path(self) -> str:
        return f"/{self.name}"


@dataclass(frozen=True)
class Step:
    """A line of the front."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Preset:
    """The best model within a limit; `tied` is how many more within it cannot be told from it."""

    limit: float
    limit_text: str
    best: Point
    tied: int


@dataclass(frozen=True)
class Scatter:
    """All that the chart and its tables show."""

    measure: Measure
    x: Axis
    y: Axis
    points: Sequence[Point]  # that can be followed, the best first
    faint: Sequence[tuple[float, float]]
    front: Sequence[Point]  # the cheapest first
    steps: Sequence[Step]
    presets: Sequence[Preset]
    unknown: int  # ranked models of which the cost is not known

    @property
    def known(self) -> int:
        return len(self.points) + len(self.faint)


def scatter_of(places: Places, measure: Measure) -> Scatter | None:
    """Return the chart of a board; None where fewer than two models have both numbers."""
    costs = places.facts[measure.fact]
    costs = np.where(costs > 0, costs, np.nan) if measure.is_log else costs
    known = np.flatnonzero(np.isfinite(costs))
    if len(known) < 2:
        return None
    pairs = [(float(costs[place]), float(places.scores[place])) for place in known]
    on_front = [int(known[place]) for place in pareto.front(pairs)]
    numbers = {place: number for number, place in enumerate(on_front, start=1)}
    clear = sorted({*known[:CLEAR].tolist(), *on_front})
    x = (axes.logarithmic if measure.is_log else axes.linear)(costs[known].tolist(), measure.write)
    heights = [*places.low[clear].tolist(), *places.high[clear].tolist(), float(places.scores[known].min())]
    y = axes.linear(heights, axes.plain)
    points = {place: _point(places, costs, place, measure, x, y, numbers.get(place, 0)) for place in clear}
    others = sorted(set(known.tolist()) - set(clear))
    front = [points[place] for place in on_front]
    return Scatter(
        measure=measure,
        x=x,
        y=y,
        points=list(points.values()),
        faint=crowd.thinned((x.at(float(costs[one])), _down(y, float(places.scores[one]))) for one in others),
        front=front,
        steps=_steps(front),
        presets=_presets(places, costs, front, measure),
        unknown=len(places) - len(known),
    )


def _point(places: Places, costs: Array, place: int, measure: Measure, x: Axis, y: Axis, number: int) -> Point:
    score, low, high = (float(each[place]) for each in (places.scores, places.low, places.high))
    cost = float(costs[place])
    return Point(
        place, places.names[place], int(places.ranks[place]), score, low, high, cost, measure.write(cost),
        x.at(cost), _down(y, score), _down(y, high), _down(y, low), number,
    )  # fmt: skip


def _down(axis: Axis, number: float) -> float:
    return round(100 - axis.at(number), 2)


def _steps(front: Sequence[Point]) -> list[Step]:
    """Return the stairs from each point of the front to the next one, and on to the right edge."""
    steps = []
    for point, after in zip(front, [*front[1:], None], strict=True):
        end = after.x if after else 100.0
        steps.append(Step(point.x, point.y, end, point.y))
        if after:
            steps.append(Step(end, point.y, end, after.y))
    return [step for step in steps if (step.x1, step.y1) != (step.x2, step.y2)]


def _presets(places: Places, costs: Array, front: Sequence[Point], measure: Measure) -> list[Preset]:
    """Return the best within each limit that has a model, up to one that leaves nothing out."""
    pairs = [(point.cost, point.score) for point in front]
    found = []
    for limit in measure.limits:
        best = pareto.best_within(pairs, limit)  # it is always on the front
        if best is None:
            continue
        overlap = (costs <= limit) & (places.high >= front[best].low)  # NaN is within no limit
        found.append(Preset(limit, measure.write(limit), front[best], int(np.count_nonzero(overlap)) - 1))
        if limit >= np.nanmax(costs):
            break
    return found
