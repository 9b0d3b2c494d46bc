"""Which things give the most for what they cost: those that no other one beats in one and matches in the other."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

Point = tuple[float | None, float | None]  # cost, of which less is better, and worth, of which more is better


def front(points: Sequence[Point]) -> list[int]:
    """Return the places of the points on the front, the cheapest first.

    A point is off it when another one costs no more and is worth no less, and differs in one of the two: points that
    are equal in both stand or fall together. What lacks a number is off it and beats nothing.
    """
    known = sorted(_known(points), key=lambda one: (one[0], -one[1], one[2]))
    found: list[int] = []
    best = -math.inf
    for _cost, alike in groupby(known, key=lambda one: one[0]):
        first, *rest = alike
        if first[1] > best:
            best = first[1]
            found += [first[2], *(place for _cost, worth, place in rest if worth == best)]
    return found


def best_within(points: Sequence[Point], most: float) -> int | None:
    """Return the place of what is worth the most among all that costs at most so much, of equals the cheapest."""
    within = [one for one in _known(points) if one[0] <= most]
    return min(within, key=lambda one: (-one[1], one[0], one[2]))[2] if within else None


def _known(points: Sequence[Point]) -> Iterator[tuple[float, float, int]]:
    for place, (cost, worth) in enumerate(points):
        if cost is not None and worth is not None and not (math.isnan(cost) or math.isnan(worth)):
            yield cost, worth, place
