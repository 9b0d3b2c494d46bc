"""Scores of challenges in templates."""

from typing import Any

from django import template

from leaderboard.metric_names import PLAIN
from leaderboard.models import FinalPlace

register = template.Library()


@register.filter
def shown_score(value: float | None, metric: str) -> str:
    """Return a rounded score with no more digits than it has: 83 for a share of 0.83."""
    if value is None:
        return "–"
    return f"{value:.6g}" if metric in PLAIN else f"{round(100 * value, 4):.6g}"


@register.filter
def lookup(values: dict[Any, Any], key: Any) -> Any:
    return values.get(key)


@register.filter
def is_in(value: Any, values: Any) -> bool:
    return value in values


@register.filter
def is_medal(place: FinalPlace, medals: int) -> bool:
    """Say whether a place is one of so many medals."""
    return place.rank is not None and place.rank <= medals
