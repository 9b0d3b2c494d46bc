"""A text, or a pair, to any number of labels."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.basis import Basis, Head
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.classifying import HeadObjective
from worker.engine.tuning.objectives.objective import Batch, Feature, Loss


class SeveralLabels(HeadObjective):
    """Each label is decided for itself."""

    problem_type: ClassVar[str] = "multi_label_classification"

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        outputs = self.task.fit(list(basis.config.labels), settings) if basis.config else []
        self._labels = [settings.labels[position] for position in outputs]

    @classmethod
    def head(cls, task: Task[Any], settings: Any) -> Head:
        """Return the labels."""
        return Head(labels=list(settings.labels), problem_type=cls.problem_type)

    def outputs(self) -> list[str]:
        """Return the label of each output."""
        return self._labels

    def target(self, gold: Value) -> Any:
        """Return one for each output whose label the text has (outputs,)."""
        given = set(gold["labels"])
        return np.array([label in given for label in self._labels], dtype=np.float32)

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return texts (rows, width) and which labels they have (rows, outputs)."""
        return self.batch(features, torch.from_numpy(np.stack([feature.target for feature in features])))

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the mean over the labels of the binary cross-entropy, summed over the rows."""
        logits = output.logits.float()  # (rows, outputs)
        smoothing = self.recipe.label_smoothing if training else 0.0
        wanted = batch.targets * (1 - smoothing) + smoothing / 2
        total = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=1).sum()
        # As logits of two classes each, so that passes can be compared.
        both = torch.stack([logits, torch.zeros_like(logits)], dim=-1).flatten(0, 1)  # (rows * outputs, 2)
        return Loss(total=total, logits=both)
