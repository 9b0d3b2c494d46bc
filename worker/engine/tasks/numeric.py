"""What tasks have in common whose answers are numbers."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from worker.engine.tasks.task import Array

LARGEST = 1e12
ROW_BYTES = 64  # room for one number
BINS = 10
# A part with fewer examples would tell the hidden answer to one of them.
SMALLEST_PART = 5
# Answers are rounded, and two that are nearly equal may change places in a ranking.
TOLERANCE = 1e-4


def is_number(value: object) -> bool:
    """Say whether it is a number of a size that can be reckoned with."""
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= LARGEST  # type: ignore[arg-type]


def parts_of(gold: Array) -> Iterator[tuple[float, float, npt.NDArray[np.bool_]]]:
    """Yield equally wide parts of the reference with enough examples: from where to where, and which are inside."""
    edges = np.linspace(gold.min(), gold.max(), BINS + 1)
    bins = np.clip(np.searchsorted(edges, gold, side="right") - 1, 0, BINS - 1)
    for position in range(BINS):
        inside = bins == position
        if inside.sum() >= SMALLEST_PART:
            yield float(edges[position]), float(edges[position + 1]), inside
