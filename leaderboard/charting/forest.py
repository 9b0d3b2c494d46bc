"""Between which ranks models may truly stand: a line for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leaderboard.charting import axes
from leaderboard.charting.axes import Axis
from leaderboard.ranking import Places

SHOWN = 40


@dataclass(frozen=True)
class Line:
    """A model with the interval of its rank and of its score; places are in per cent from the left."""

    name: str
    rank: int
    best: int
    worst: int
    score: float
    low: float
    high: float
    is_new_group: bool  # it is surely behind the first of the group above
    at: float
    start: float
    end: float

    @property
    def path(self) -> str:
        return f"/{self.name}"

    @property
    def words(self) -> str:
        return f"{self.best}–{self.worst}" if self.best != self.worst else str(self.best)


@dataclass(frozen=True)
class Forest:
    """Lines of a stretch of the board, the best first. `next` and `before` are where other stretches begin."""

    lines: Sequence[Line]
    axis: Axis
    total: int
    start: int
    next: int | None
    before: int | None


def forest_of(places: Places, start: int = 0) -> Forest | None:
    """Return the lines of the models from a place of the board on; None for an empty board."""
    if not len(places):
        return None
    start = min(max(start, 0), len(places) - 1)
    chosen = np.arange(start, min(start + SHOWN, len(places)))
    between = places.rank_intervals(chosen)
    axis = axes.ranks(int(between.best.min()), int(between.worst.max()))
    lines = [
        Line(
            name=places.names[place],
            rank=int(places.ranks[place]),
            best=int(between.best[number]),
            worst=int(between.worst[number]),
            score=float(places.scores[place]),
            low=float(places.low[place]),
            high=float(places.high[place]),
            is_new_group=bool(number and places.groups[place] != places.groups[place - 1]),
            at=axis.at(float(places.ranks[place])),
            start=axis.at(float(between.best[number])),
            end=axis.at(float(between.worst[number])),
        )
        for number, place in enumerate(chosen.tolist())
    ]
    end = start + len(lines)
    return Forest(
        lines, axis, len(places), start, end if end < len(places) else None, max(start - SHOWN, 0) if start else None
    )
