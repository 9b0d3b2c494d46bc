"""Batches by a budget of tokens: rows of like length together, so that little is spent on padding. Imports no torch."""

import random
from collections.abc import Sequence

# Rows of a training pool: long enough to find neighbours of like length, short enough to keep the order random.
POOL_BATCHES = 32
# A GPU would be idle most of the time over batches that a processor is fastest with.
ON_GPU = 16


def budget_on(device: str, budget: int) -> int:
    """Return how many tokens a batch of answers may have on a kind of device; budgets are meant for processors."""
    return ON_GPU * budget if device == "cuda" else budget


def plan_batches(lengths: Sequence[int], budget: int, *, max_rows: int | None = None) -> list[list[int]]:
    """Cut row numbers, longest first, into batches of at most `budget` tokens, padding included.

    The longest batch comes first, so that memory runs out in the first second or not at all.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    return _cut(order, lengths, budget, max_rows)


def training_batches(lengths: Sequence[int], budget: int, rng: random.Random) -> list[list[int]]:
    """Return the batches of one epoch: shuffled, sorted within pools, cut, and shuffled again."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    mean = max(1.0, sum(lengths) / max(1, len(lengths)))
    pool = max(1, int(POOL_BATCHES * budget / mean))
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        rows = sorted(order[start : start + pool], key=lambda index: (-lengths[index], index))
        batches += _cut(rows, lengths, budget, None)
    rng.shuffle(batches)
    return batches


def _cut(order: Sequence[int], lengths: Sequence[int], budget: int, max_rows: int | None) -> list[list[int]]:
    batches: list[list[int]] = []
    batch: list[int] = []
    for index in order:
        # The order falls in length, so the first row of a batch sets its width.
        full = bool(batch) and (len(batch) + 1) * lengths[batch[0]] > budget
        if full or (batch and len(batch) == max_rows):
            batches.append(batch)
            batch = []
        batch.append(index)
    if batch:
        batches.append(batch)
    return batches
