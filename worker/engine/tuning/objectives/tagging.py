"""Words of a sentence to tags: the first token of each word is labelled, the others are not."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from worker.engine.measures.entities import OUTSIDE
from worker.engine.tasks.task import Task, Value
from worker.engine.tasks.token_classification import TokenClassification
from worker.engine.tuning.basis import Basis, Head
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.objective import IGNORED, Batch, Feature, Loss, Row, padded
from worker.engine.tuning.objectives.texts import TextObjective, ids_of


class Tagging(TextObjective):
    """Tags of words, read and scored by strict IOB2 as evaluations do."""

    maskable = attackable = classes = True
    task: TokenClassification

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        self._tags = self.task.fit(list(basis.config.labels), settings) if basis.config else []
        self._output = {tag: output for output, tag in reversed(list(enumerate(self._tags)))}
        self._weights: torch.Tensor | None = None

    @classmethod
    def head(cls, task: Task[Any], settings: Any) -> Head:
        """Return the tags."""
        return Head(labels=list(settings.labels))

    def outputs(self) -> list[str]:
        """Return the tag of each output."""
        return self._tags

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return a feature for each sentence; one without a word that is read teaches nothing."""
        found = self.tokenizer.encode_words(
            [row.question["tokens"] for row in rows],
            max_length=self.max_length - self.virtual_tokens,
            vocab_size=self.basis.vocab_size,
            filler=self.basis.pad_id,
        )
        features = []
        for number, (row, (tokens, words)) in enumerate(zip(rows, found, strict=True)):
            firsts = _firsts(words, len(row.gold["tags"]))
            target = np.full(len(tokens.ids), IGNORED, dtype=np.int32)
            for word, place in enumerate(firsts):
                if place >= 0:
                    target[place] = self._output[row.gold["tags"][word]]
            units = float((target != IGNORED).sum())
            if units or not training:
                feature = Feature(
                    row=number, ids=ids_of(tokens), length=len(tokens.ids) + self.virtual_tokens, target=target,
                    units=units, type_ids=np.array(tokens.type_ids, dtype=np.int32), extra=firsts,
                )  # fmt: skip
                features.append(feature)
        if training and self.recipe.class_weights == "balanced":
            self._weigh(features)
        return features

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return sentences (rows, width) and the labels of their tokens (rows, width)."""
        targets, _held = padded([feature.target for feature in features], filler=IGNORED, side=self.padding_side)
        return self.batch(features, targets)

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the cross-entropy of the labelled tokens."""
        labelled = batch.targets != IGNORED
        logits = output.logits[labelled].float()  # (labelled tokens, labels)
        total = F.cross_entropy(
            logits,
            batch.targets[labelled],
            weight=self._weights if training else None,
            label_smoothing=self.recipe.label_smoothing if training else 0.0,
            reduction="sum",
        )
        return Loss(total=total, logits=logits)

    def read(self, output: Any, batch: Batch) -> list[Any]:
        """Return the number of the likeliest label of each token that begins a word."""
        winners = output.logits.argmax(dim=-1).cpu().numpy()  # (rows, width)
        held = batch.inputs["attention_mask"].bool().cpu().numpy()
        return [row[inside] for row, inside in zip(winners, held, strict=True)]

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return the tags; a word that was cut off is outside."""
        return [
            {"tags": [self._tags[winners[place]] if place >= 0 else OUTSIDE for place in feature.extra]}
            for feature, winners in zip(features, read, strict=True)
        ]

    def _weigh(self, features: Sequence[Feature]) -> None:
        every = np.concatenate([feature.target[feature.target != IGNORED] for feature in features])
        counts = np.bincount(every, minlength=len(self._tags))
        # They are one in the mean over the tokens, so that the loss keeps its size.
        weights = len(every) / np.maximum(counts, 1) / max(1, int((counts > 0).sum()))
        self._weights = torch.tensor(weights, dtype=torch.float32, device=self.basis.device)


def _firsts(words: Sequence[int | None], count: int) -> list[int]:
    """Return the place of the first token of each word, -1 for one cut off or without a token."""
    firsts = [-1] * count
    for place, word in enumerate(words):
        if word is not None and firsts[word] < 0:
            firsts[word] = place
    return firsts
