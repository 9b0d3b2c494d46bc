"""What objectives of texts share: tokens once, padding on either side, segments where the model has them."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from worker.engine.contracts import EngineError
from worker.engine.tasks.task import Value
from worker.engine.tokenizing import LoadedTokenizer, Text, Tokens
from worker.engine.tuning.objectives.objective import Batch, Feature, Ids, Objective, padded

# A GPU looks for the best way to multiply matrices anew for each shape, which takes longer than to fill rows up.
STEP = 8


class TextObjective(Objective):
    """An objective whose model reads token ids."""

    # Whether rows may be filled up further than to the longest: not where the loss is over all places.
    stretchable: ClassVar[bool] = False

    @property
    def tokenizer(self) -> LoadedTokenizer:
        """Return the tokenizer, which a model of texts always has."""
        if self.basis.tokenizer is None:
            raise EngineError("missing_tokenizer", "This task needs a model with a tokenizer.")
        return self.basis.tokenizer

    def tokenized(self, texts: Sequence[Text]) -> list[Tokens]:
        """Return texts, or pairs of them, as tokens, cut to the length of the recipe."""
        return self.tokenizer.tokenize(
            texts,
            max_length=self.max_length - self.virtual_tokens,
            vocab_size=self.basis.vocab_size,
            filler=self.basis.pad_id,
        )

    def table(self, features: Sequence[Feature]) -> tuple[dict[str, torch.Tensor], int]:
        """Return what the model reads of these features, on its device, and how many of its cells are tokens."""
        side, width = self.padding_side, self._width(features)
        ids, held = padded([feature.ids for feature in features], filler=self.basis.pad_id, side=side, width=width)
        inputs = {"input_ids": ids, "attention_mask": held}
        if self.basis.segments > 1:
            types = [_types(feature) for feature in features]
            if max(int(row.max()) for row in types) >= self.basis.segments:
                raise EngineError("tokenizer_mismatch", "The tokenizer marks more segments than the model knows.")
            inputs["token_type_ids"], _held = padded(types, filler=0, side=side, width=width)
        if self.padding_side == "left" and self.basis.is_decoder and not self.virtual_tokens:
            # Models with positions of their own would count the padding.
            inputs["position_ids"] = (held.cumsum(dim=1) - 1).clamp(min=0)
        return {name: table.to(self.basis.device) for name, table in inputs.items()}, int(held.sum())

    def _width(self, features: Sequence[Feature]) -> int:
        longest = max(len(feature.ids) for feature in features)
        if not self.stretchable or self.basis.device.type != "cuda":
            return longest
        return max(longest, min(-(-longest // STEP) * STEP, self.max_length - self.virtual_tokens))

    def batch(self, features: Sequence[Feature], targets: torch.Tensor) -> Batch:
        """Return a batch of these features with their targets."""
        inputs, tokens = self.table(features)
        cells = inputs["input_ids"].numel()
        return Batch(
            features=features, inputs=inputs, targets=targets.to(self.basis.device), tokens=tokens, cells=cells
        )


def text_of(question: Value) -> Text:
    """Return the text of a question, or its pair of texts."""
    return (question["text"], question["text2"]) if "text2" in question else question["text"]


def ids_of(tokens: Tokens) -> Ids:
    """Return token ids in a quarter of the room that a list takes."""
    return np.array(tokens.ids, dtype=np.int32)


def _types(feature: Feature) -> Ids:
    return np.zeros(len(feature.ids), dtype=np.int32) if feature.type_ids is None else feature.type_ids
