"""A study as a picture: each trial a line through its options to its score. Coordinates for an SVG, no script."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models_hub.models import Run

WIDTH, HEIGHT = 1000, 300
TOP, BOTTOM, SIDE = 40, 260, 60
TICKS = 3


@dataclass(frozen=True)
class Axis:
    """One option, or the score at the end, as an upright line with a few marks."""

    name: str
    x: float
    ticks: list[tuple[float, str]] = field(default_factory=list)  # y, text


@dataclass(frozen=True)
class Line:
    """One trial."""

    run: Run
    points: str  # of a polyline
    share: float  # 0 for the worst score, 1 for the best


@dataclass(frozen=True)
class Coordinates:
    """Axes and lines; empty without finished trials."""

    axes: list[Axis]
    lines: list[Line]


def coordinates(space: Mapping[str, Mapping[str, Any]], runs: Sequence[Run], *, lower_is_better: bool) -> Coordinates:
    """Return parallel coordinates of the trials that have a score."""
    scored = [run for run in runs if run.value is not None and run.options.get("params")]
    if not scored:
        return Coordinates([], [])
    values = [run.value for run in scored if run.value is not None]
    score = {"type": "float", "low": min(values), "high": max(values)}
    spans = {**space, "": score}
    step = (WIDTH - 2 * SIDE) / max(1, len(spans) - 1)
    axes = [
        Axis(name, round(SIDE + step * place, 1), [(round(_y(span, value), 1), _text(value)) for value in _marks(span)])
        for place, (name, span) in enumerate(spans.items())
    ]
    lines = []
    for run in scored:
        row = {**run.options["params"], "": run.value}
        ys = [_y(span, row[name]) if name in row else None for name, span in spans.items()]
        points = " ".join(f"{axis.x},{y:.1f}" for axis, y in zip(axes, ys, strict=True) if y is not None)
        share = _share(score, run.value)
        lines.append(Line(run, points, round(1 - share if lower_is_better else share, 3)))
    # The best ones are drawn last, above the others.
    return Coordinates(axes, sorted(lines, key=lambda line: line.share))


def _share(span: Mapping[str, Any], value: Any) -> float:
    """Return where a value lies between the ends of a span, 0 to 1."""
    if span["type"] == "choice":
        choices = list(span["choices"])
        return choices.index(value) / max(1, len(choices) - 1) if value in choices else 0.5
    low, high = float(span["low"]), float(span["high"])
    if low == high:
        return 0.5
    if span.get("log"):
        return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low)) if value > 0 else 0.0
    return (float(value) - low) / (high - low)


def _y(span: Mapping[str, Any], value: Any) -> float:
    return BOTTOM - (BOTTOM - TOP) * min(max(_share(span, value), 0.0), 1.0)


def _marks(span: Mapping[str, Any]) -> list[Any]:
    if span["type"] == "choice":
        return list(span["choices"])
    low, high = float(span["low"]), float(span["high"])
    if span.get("log"):
        return [low * (high / low) ** (place / (TICKS - 1)) for place in range(TICKS)]
    return [low + (high - low) * place / (TICKS - 1) for place in range(TICKS)]


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
