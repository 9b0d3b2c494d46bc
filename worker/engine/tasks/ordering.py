"""What tasks share that put things in an order: what a random order reaches, and where the first right one stands."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from worker.engine.measures.retrieval import CUTOFF, RECALL_CUTOFFS, discounted
from worker.engine.statistics.resampling import Array

LARGEST_GAIN = 1e6


def by_chance(gains: Iterable[float], size: int, *, depth: int) -> dict[str, float]:
    """Return what to expect of a random order of `size` things, these of them of worth, if `depth` are looked at."""
    worth = np.sort(np.array([gain for gain in gains if gain > 0]))[::-1]
    right = len(worth)
    places = np.arange(1, min(depth, size) + 1)
    top = min(CUTOFF, size)
    even = discounted(np.full(top, worth.sum() / size))
    # How likely it is that none stands before a place, and one stands there.
    none_before = np.cumprod([1.0, *((size - right - place) / (size - place) for place in range(top - 1))])
    first = none_before * right / (size - np.arange(top))
    others = (places - 1) * (right - 1) / max(size - 1, 1)
    return {
        "ndcg_at_10": even / discounted(worth),
        "mrr_at_10": float((first / np.arange(1, top + 1)).sum()),
        "map": float(((1 + others) / places).sum() / size),
        **{f"recall_at_{k}": min(k, size) / size for k in RECALL_CUTOFFS},
    }


def places_of(firsts: Sequence[int | None], edges: Sequence[int]) -> list[dict[str, Any]]:
    """Count where the first right one stands: up to each of the edges, and at last those where it stands nowhere."""
    counts = []
    low = 1
    for high in edges:
        counts.append(
            {"low": low, "high": high, "n": sum(first is not None and low <= first <= high for first in firsts)}
        )
        low = high + 1
    beyond = sum(first is None or first >= low for first in firsts)
    return [*counts, {"low": low, "high": None, "n": beyond}]


def mean_floor(golds: Sequence[dict[str, Any]], name: str) -> dict[str, float] | None:
    """Return the means of what `finish` found for each example; None where it was too much to compute."""
    rows = [gold["floors"][name] for gold in golds if name in gold.get("floors", {})]
    if len(rows) != len(golds):
        return None
    return {metric: float(np.mean([row[metric] for row in rows])) for metric in rows[0]}


def are_floors(value: object, names: Sequence[str]) -> bool:
    """Say whether a value is {floor: {metric: number from 0 to 1}} with all of these metrics."""
    return isinstance(value, dict) and all(
        isinstance(row, dict)
        and set(row) == set(names)
        and all(type(number) in (int, float) and 0 <= number <= 1 + 1e-9 for number in row.values())
        for row in value.values()
    )


def is_gain(value: object) -> bool:
    """Say whether a value tells how much a document is worth."""
    return type(value) in (int, float, bool) and 0 <= value <= LARGEST_GAIN  # type: ignore[operator]


def ranked(scores: Array) -> list[int]:
    """Return the places of things by their scores, best first.

    Ties are broken by a fixed draw: whoever lists the right ones first would else be told right by a model that finds
    all alike.
    """
    draw = np.random.RandomState(len(scores)).permutation(len(scores))
    order: list[int] = np.lexsort((draw, -scores)).tolist()
    return order
