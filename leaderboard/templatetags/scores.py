"""Scores and their intervals in templates."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leaderboard import metric_names
from leaderboard.examples import Mistake
from leaderboard.marking import VERDICTS

register = template.Library()
register.filter("metric_label", metric_names.metric_label)
register.filter("metric_text", metric_names.metric_text)
register.filter("signed_metric", metric_names.signed_metric)
register.filter("setting_label", metric_names.setting_label)
register.filter("setting_text", metric_names.setting_text)


@register.filter
def verdicts(mistakes: list[Mistake]) -> list[str]:
    """Return which marks there are in the texts, in the order of their legend."""
    found: set[str] = {piece.verdict for mistake in mistakes for piece in mistake.pieces}
    found |= {box.verdict for mistake in mistakes for box in mistake.boxes}
    return [verdict for verdict in VERDICTS if verdict in found]


@register.filter
def verdict_label(verdict: str) -> str:
    return str(VERDICTS[verdict])


@register.filter
def is_plain_metric(name: str) -> bool:
    """True for a metric that is written as it is, not in per cent."""
    return name in metric_names.PLAIN


@register.filter
def lower_is_better(name: str) -> bool:
    return name in metric_names.LOWER_IS_BETTER


@register.simple_tag
def interval(
    value: float | str | None,
    low: float | None,
    high: float | None,
    start: float = 0,
    end: float = 1,
    mark: float | None = None,
) -> SafeString:
    """A bar from `low` to `high` on a scale from `start` to `end`, with a point at `value` and a line at `mark`.

    It repeats numbers that stand beside it in words, so it is hidden from screen readers.
    """
    if not isinstance(value, int | float):  # a template gives "" for what is not there
        return SafeString("")
    low, high = (value if low is None else low), (value if high is None else high)
    places = [_place(number, start, end) for number in (value, low, high)]
    line = ""
    if mark is not None:
        line = format_html('<span class="interval-mark" style="left:{}%"></span>', _place(mark, start, end))
    return format_html(
        '<span class="interval" aria-hidden="true">{}<span class="interval-range" style="left:{}%;width:{}%"></span>'
        '<span class="interval-point" style="left:{}%"></span></span>',
        line,
        places[1],
        round(places[2] - places[1], 2),
        places[0],
    )


@register.simple_tag
def metric_interval(
    name: str, value: float | str | None, low: float | None, high: float | None, mark: float | None = None
) -> SafeString:
    """The bar of a metric on the scale that it has; nothing for one without an end."""
    scale = metric_names.SCALES.get(name, (0, 1))
    return interval(value, low, high, *scale, mark) if scale else SafeString("")


@register.simple_tag
def spread(mean: float, deviation: float) -> SafeString:
    """A bar around the mean of cosines; two thirds of them lie in it."""
    return interval(mean, mean - deviation, mean + deviation)


def _place(number: float, start: float, end: float) -> float:
    share = (number - start) / (end - start) if end > start else 0
    return round(100 * min(max(share, 0), 1), 2)


@register.filter
def share_of(count: int, row: list[int]) -> str:
    """The part of a row of the confusion matrix, from 0 to 1: how dark its cell is."""
    total = sum(row)
    return f"{count / total:.3f}" if total else "0"


@register.filter
def curve_points(points: list[list[float]]) -> str:
    """Points from 0 to 1 as those of a drawing that is 100 wide and high, with its beginning at the lower left."""
    return " ".join(f"{100 * x:.2f},{100 - 100 * y:.2f}" for x, y in points)


@register.filter
def item_at(items: list[str], place: int) -> str:
    """The label of a column of the confusion matrix."""
    return items[place] if place < len(items) else ""
