"""Many points as few dots: those that cover each other are drawn once, on a grid so fine that nothing is seen of it."""

import math
from collections.abc import Iterable

GRID = 250
MOST = 1500


def thinned(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return places in per cent, from left to right, at most MOST of them and those evenly spread."""
    cells = sorted({(round(across * GRID / 100), round(down * GRID / 100)) for across, down in points})
    every = math.ceil(len(cells) / MOST) or 1
    return [(round(100 * across / GRID, 1), round(100 * down / GRID, 1)) for across, down in cells[::every]]
