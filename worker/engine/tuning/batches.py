"""Which rows are learned together and when: a pure function of seed and epoch, so that a run can go on anywhere.

Rows are shuffled, sorted by length within pools and cut, and the batches are shuffled again: next to nothing is spent
on padding, and the order stays random. Imports no torch.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.engine.batching import POOL_BATCHES, training_batches
from worker.engine.tuning.contracts import Recipe


@dataclass(frozen=True)
class Plan:
    """How the rows of a run become steps."""

    lengths: Sequence[int]
    recipe: Recipe
    seed: int

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the batches of one epoch, from 0: lists of row numbers."""
        rng = random.Random(f"{self.seed}/{epoch}")  # noqa: S311  (the order of batches is no secret)
        if self.recipe.token_budget is not None:
            return training_batches(self.lengths, self.recipe.token_budget, rng)
        order = list(range(len(self.lengths)))
        rng.shuffle(order)
        size = self.recipe.batch_size
        batches: list[list[int]] = []
        for start in range(0, len(order), POOL_BATCHES * size):
            pool = order[start : start + POOL_BATCHES * size]
            pool.sort(key=lambda number: (-self.lengths[number], number))
            batches += [pool[first : first + size] for first in range(0, len(pool), size)]
        rng.shuffle(batches)
        return batches

    def epoch_steps(self) -> int:
        """Return the steps of the first epoch; with a budget of tokens later ones may have a few more or less."""
        return math.ceil(len(self.batches(0)) / self.recipe.accumulation)

    def steps(self) -> int:
        """Return how many steps the run has."""
        planned = max(1, round(self.recipe.epochs * self.epoch_steps()))
        return min(planned, self.recipe.max_steps or planned)

    def walk(self, epoch: int, offset: int) -> Iterator["Stride"]:
        """Yield step after step without an end, from a step of an epoch on."""
        while True:
            batches = self.batches(epoch)
            size = self.recipe.accumulation
            steps = math.ceil(len(batches) / size)
            seen = sum(map(len, batches[: offset * size]))
            for number in range(offset, steps):
                chosen = batches[number * size : (number + 1) * size]
                seen += sum(map(len, chosen))
                yield Stride(chosen, epoch, number + 1, epoch + seen / len(self.lengths), number + 1 == steps)
            epoch, offset = epoch + 1, 0


@dataclass(frozen=True)
class Stride:
    """The rows of one step, in batches, and where the run stands after it."""

    batches: list[list[int]]
    epoch: int
    offset: int  # steps of the epoch that are done
    epochs: float  # counted by rows
    ends_epoch: bool
