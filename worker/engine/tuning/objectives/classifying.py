"""A text, or a pair, to one of several labels."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from worker.engine.tasks.heads import HeadTask
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.basis import Basis, Head
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.objective import Batch, Feature, Loss, Row
from worker.engine.tuning.objectives.texts import TextObjective, ids_of, text_of


class HeadObjective(TextObjective):
    """A few numbers on top of a text, read as the task reads them."""

    maskable = attackable = mixable = stretchable = reads_first_token = True
    task: HeadTask[Any]

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return a feature for each text."""
        found = self.tokenized([text_of(row.question) for row in rows])
        return [
            Feature(
                row=number,
                ids=ids_of(tokens),
                length=len(tokens.ids) + self.virtual_tokens,
                target=self.target(row.gold),
                type_ids=np.array(tokens.type_ids, dtype=np.int32) if self.basis.segments > 1 else None,
            )
            for number, (row, tokens) in enumerate(zip(rows, found, strict=True))
        ]

    @abstractmethod
    def target(self, gold: Value) -> Any:
        """Return what the loss compares with."""

    def read(self, output: Any, batch: Batch) -> list[Any]:
        """Return the numbers of each text."""
        return list(output.logits.double().cpu().numpy())

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return the answers as evaluations have them."""
        own = list(self.basis.config.labels) if self.basis.config else []
        return self.task.answers(np.stack(read), self.task.fit(own, self.settings), self.settings)


class Classifying(HeadObjective):
    """One label of several."""

    classes = True

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        self._position = {label: index for index, label in enumerate(settings.labels)}
        # Which of the model's outputs stands for each label: those of a base may stand in another order.
        outputs = self.task.fit(list(basis.config.labels), settings) if basis.config else []
        self._output = {label: output for output, label in reversed(list(enumerate(outputs)))}
        self._weights: torch.Tensor | None = None

    @classmethod
    def head(cls, task: Task[Any], settings: Any) -> Head:
        """Return the labels."""
        return Head(labels=list(settings.labels), problem_type="single_label_classification")

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return a feature for each text; of the rows for training, labels are counted."""
        features = super().encode(rows, training=training)
        if training:
            self.weigh(features)
        return features

    def weigh(self, features: Sequence[Feature]) -> None:
        """Count labels, where rare ones are to weigh more."""
        if self.recipe.class_weights == "balanced":
            outputs = len(self.basis.config.labels) if self.basis.config else 0
            counts = np.bincount([feature.target for feature in features], minlength=outputs)
            # They are one in the mean over the rows, so that the loss keeps its size.
            weights = len(features) / np.maximum(counts, 1) / max(1, int((counts > 0).sum()))
            self._weights = torch.tensor(weights, dtype=torch.float32, device=self.basis.device)

    def outputs(self) -> list[str]:
        """Return the label of each output."""
        own = list(self.basis.config.labels) if self.basis.config else []
        return [self.settings.labels[position] for position in self.task.fit(own, self.settings)]

    def target(self, gold: Value) -> int:
        """Return the number of the output that stands for the label."""
        return self._output[self._position[gold["label"]]]

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return texts (rows, width) and the numbers of their labels (rows,)."""
        return self.batch(features, torch.tensor([feature.target for feature in features]))

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the cross-entropy."""
        logits = output.logits.float()  # (rows, labels)
        smoothing = self.recipe.label_smoothing if training else 0.0
        weights = self._weights if training else None
        total = F.cross_entropy(logits, batch.targets, weight=weights, label_smoothing=smoothing, reduction="sum")
        return Loss(total=total, logits=logits)
