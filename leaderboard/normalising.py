"""The scale of all boards: 0 for what learned nothing, 100 for a perfect model."""

from collections.abc import Mapping
from typing import Any

from leaderboard.models import Evaluation
from leaderboard.task_kinds import best_of, lower_is_better


def floor_of(evaluation: Evaluation, metric: str) -> float:
    """Return the best that anything reaches on these very examples which learned nothing."""
    return floor_among(evaluation.floors, metric)


def floor_among(floors: Mapping[str, Any], metric: str) -> float:
    """Return the best of the floors of a result."""
    best = best_of(metric)
    named = (floor.get("metrics", {}).get(metric) for floor in floors.values() if isinstance(floor, dict))
    found = [floor for floor in named if isinstance(floor, int | float)]
    if lower_is_better(metric):
        return min((floor for floor in found if floor > best), default=1.0)
    return max((floor for floor in found if floor < best), default=0.0)


def normalised(value: float, floor: float, metric: str) -> float:
    """Return 0 for the floor and 100 for a perfect score; below the floor it is negative."""
    return 100 * (value - floor) / (best_of(metric) - floor)
