"""Bars of small histograms, placed for an inline SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 120, 28
MAX_BARS = 24
LEAST = 1.5  # height of a bar that is not nothing


@dataclass(frozen=True)
class Bar:
    """A rectangle and what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    title: str


def figure(value: float | None) -> str:
    """Return a number as people read it: thousands apart, no more digits than tell something."""
    if value is None:
        return "–"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}" if abs(value) < 10**18 else f"{float(value):.4g}"
    return f"{value:,.1f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def histogram(summary: Mapping[str, Any] | None) -> list[Bar]:
    """Return the bars of a histogram of numbers or lengths."""
    found = summary["histogram"] if summary else None
    if not found:
        return []
    edges, counts = found["edges"], found["counts"]
    titles = [
        f"{figure(edges[index])} … {figure(edges[index + 1])}: {count:,}" if edges[index] != edges[index + 1]
        else f"{figure(edges[index])}: {count:,}"
        for index, count in enumerate(counts)
    ]  # fmt: skip
    return bars(counts, titles)


def bars(counts: Sequence[int], titles: Sequence[str]) -> list[Bar]:
    """Return one bar for each count, the greatest as high as the picture."""
    top = max(counts, default=0) or 1
    step = WIDTH / max(len(counts), 1)
    found = []
    for index, (count, title) in enumerate(zip(counts, titles, strict=True)):
        height = max(count / top * HEIGHT, LEAST) if count else 0
        found.append(Bar(_short(index * step), _short(HEIGHT - height), _short(step - 1), _short(height), title))
    return found


def _short(value: float) -> float:
    return round(value, 2)
