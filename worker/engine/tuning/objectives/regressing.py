"""A text, or a pair, to a number."""

from collections.abc import Sequence
from typing import Any

import torch

from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.basis import Head
from worker.engine.tuning.objectives.classifying import HeadObjective
from worker.engine.tuning.objectives.objective import Batch, Feature, Loss


class Regressing(HeadObjective):
    """One output, taken as it is, so that numbers should be of the order of one."""

    @classmethod
    def head(cls, task: Task[Any], settings: Any) -> Head:
        """Return a head of one output."""
        return Head(labels=["score"], problem_type="regression")

    def target(self, gold: Value) -> float:
        """Return the number."""
        return float(gold["value"])

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return texts (rows, width) and their numbers (rows,)."""
        return self.batch(features, torch.tensor([feature.target for feature in features], dtype=torch.float32))

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the squares of what is off."""
        found = output.logits.float()[:, 0]  # (rows,)
        return Loss(total=((found - batch.targets) ** 2).sum())
