"""Chance that is the same on every machine and in every version of Python.

Of a generator only `random()` is used: it alone is promised to give the same numbers for a seed in later versions.
"""

import hashlib
import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def generator(seed: int, *parts: str) -> Random:
    """Return a generator of its own for each combination of parts, such as an example's id."""
    key = "\x1f".join((str(seed), *parts))
    return Random(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))  # noqa: S311  (no secret)


def pick(rng: Random, options: Sequence[T]) -> T:
    """Return one of the options, each as likely as another."""
    return options[int(rng.random() * len(options))]


def chosen(rng: Random, options: Sequence[T], share: float) -> list[T]:
    """Return this share of the options in their order, at least one; a larger share holds all of a smaller one's."""
    keys = [rng.random() for _ in options]
    count = min(len(options), max(1, math.floor(share * len(options) + 0.5)))
    return [options[index] for index in sorted(sorted(range(len(options)), key=keys.__getitem__)[:count])]
