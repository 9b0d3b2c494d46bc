"""Labels from few rows, as SetFit learns them: first which texts belong together, then a head for what came of it.

Pairs of rows of one label, and of two, teach the body; what goes into the last layer of the head is the vector of a
text. Before each look at the dev set that layer is fitted to the vectors of all training texts by logistic regression,
so that the result is a plain classifier.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from worker.engine.batching import plan_batches
from worker.engine.contracts import EngineError
from worker.engine.tuning.objectives.classifying import Classifying
from worker.engine.tuning.objectives.objective import DEV_BUDGET, Answered, Batch, Feature, Ids, Loss, Row

# Partners of each label a row gets, and the most rows: with more of them plain training is as good and cheaper.
PARTNERS, MAX_ROWS, MAX_PAIRS = 8, 4000, 40_000
LAST_LAYERS = ("classifier", "score")


@dataclass(frozen=True, slots=True)
class Partner:
    """The other text of a pair."""

    ids: Ids
    type_ids: Ids | None


class FewRows(Classifying):
    """A text to one of several labels, learned in pairs."""

    attackable = False
    mixable = False
    classes = False

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return pairs of the rows to learn from, and the rows themselves to be judged by."""
        features = super().encode(rows, training=training)
        if not training:
            return features
        if not self.spec.dev:
            raise EngineError("bad_spec", "few_rows needs a dev part, before which the head is fitted")
        if len(features) > MAX_ROWS:
            raise EngineError("bad_spec", f"few_rows is for at most {MAX_ROWS} rows; turn it off")
        self._single = features
        self._place: Any = None
        self._seen: list[torch.Tensor] = []
        return self._pairs(features)

    def _pairs(self, features: Sequence[Feature]) -> list[Feature]:
        draws = random.Random(self.spec.seed)  # noqa: S311  (which rows meet is no secret)
        by_label = defaultdict(list)
        for feature in features:
            by_label[feature.target].append(feature)
        if len(by_label) < 2:
            raise EngineError("bad_data", "all rows have one label: there is nothing to tell apart")
        partners = max(1, min(PARTNERS, MAX_PAIRS // (2 * len(features))))
        pairs = []
        for feature in features:
            others = [one for label, those in by_label.items() if label != feature.target for one in those]
            for pool, alike in ((by_label[feature.target], 1.0), (others, 0.0)):
                pairs += [self._pair(feature, draws.choice(pool), alike) for _turn in range(partners)]
        return pairs

    @staticmethod
    def _pair(first: Feature, second: Feature, alike: float) -> Feature:
        partner = Partner(second.ids, second.type_ids)
        length = max(first.length, second.length)
        return Feature(first.row, first.ids, length, target=alike, type_ids=first.type_ids, extra=partner)

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return first texts and then their partners (2 x rows, width), or single texts."""
        if not isinstance(features[0].extra, Partner):
            return super().collate(features, training=training)
        others = [Feature(one.row, one.extra.ids, one.length, type_ids=one.extra.type_ids) for one in features]
        inputs, tokens = self.table([*features, *others])
        targets = torch.tensor([feature.target for feature in features], device=self.basis.device)
        return Batch(
            features=features, inputs=inputs, targets=targets, tokens=tokens, cells=inputs["input_ids"].numel()
        )

    def forward(self, model: Any, batch: Batch) -> Any:
        """Return what the model says, and note what goes into its last layer."""
        if self._place is None:
            self._place = last_layer(model, len(self.settings.labels))
            self._place.register_forward_pre_hook(lambda _layer, inputs: self._seen.append(inputs[0]))
        self._seen.clear()
        return super().forward(model, batch)

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return how far the cosines of pairs are from 1 and 0; of single texts, the cross-entropy."""
        if not isinstance(batch.features[0].extra, Partner):
            return super().loss(output, batch, training=training)
        vectors = functional.normalize(self._vectors(batch).float(), dim=1)  # (2 x rows, size)
        first, second = vectors.chunk(2)
        return Loss(total=functional.mse_loss((first * second).sum(dim=1), batch.targets, reduction="sum"))

    def _vectors(self, batch: Batch) -> torch.Tensor:
        seen = self._seen[-1]
        if seen.ndim == 2:
            return seen
        # A decoder asks its head about every token, and takes the answer to the last one.
        mask = batch.inputs["attention_mask"]
        last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(dim=1)
        return seen[torch.arange(len(seen), device=seen.device), last]

    def answer(
        self,
        model: Any,
        rows: Sequence[Row],
        features: Sequence[Feature],
        *,
        done: Callable[[float], None] = lambda share: None,
        budget: int = DEV_BUDGET,
    ) -> Answered:
        """Fit the head, then answer."""
        self._fit(model, budget)
        return super().answer(model, rows, features, done=done, budget=budget)

    def _fit(self, model: Any, budget: int) -> None:
        found: list[Any] = [None] * len(self._single)
        with torch.no_grad():
            for numbers in plan_batches([feature.length for feature in self._single], budget):
                batch = super().collate([self._single[number] for number in numbers], training=False)
                self.forward(model, batch)
                for number, vector in zip(numbers, self._vectors(batch).double().cpu().numpy(), strict=True):
                    found[number] = vector
        labels = np.array([feature.target for feature in self._single])
        weight = "balanced" if self.recipe.class_weights == "balanced" else None
        made = LogisticRegression(max_iter=1000, class_weight=weight).fit(np.stack(found), labels)
        self._write(made, len(self.settings.labels))

    def _write(self, made: LogisticRegression, outputs: int) -> None:
        """Write the numbers of each label; of two, the regression has those of the second alone."""
        weights, biases = np.zeros((outputs, made.coef_.shape[1])), np.full(outputs, -30.0)
        rows, offsets = made.coef_, made.intercept_
        if len(made.classes_) == 2:
            rows, offsets = np.concatenate([-rows, rows]) / 2, np.concatenate([-offsets, offsets]) / 2
        weights[made.classes_], biases[made.classes_] = rows, offsets
        with torch.no_grad():
            self._place.weight.copy_(torch.from_numpy(weights))
            if self._place.bias is not None:
                self._place.bias.copy_(torch.from_numpy(biases))


def last_layer(model: Any, outputs: int) -> Any:
    """Return the layer that gives the numbers of labels; of a head that is trained beside its former self, the new."""
    found = [
        (name, part)
        for name, part in model.named_modules()
        if isinstance(part, torch.nn.Linear)
        and part.out_features == outputs
        and set(name.split(".")) & set(LAST_LAYERS)
    ]
    new = [part for name, part in found if "modules_to_save" in name]
    if not found:
        raise EngineError("bad_spec", "few_rows finds no head for labels in this model; turn it off")
    return new[-1] if new else found[-1][1]
