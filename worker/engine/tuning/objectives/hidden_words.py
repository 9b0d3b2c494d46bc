"""Pre-training: a model finds words that were hidden in running text, as BERT learned it.

Of the tokens 15 % are to be found; of those 80 % are hidden, 10 % replaced by any other, and 10 % left as they are. The
dev set hides the same ones each time, so that its losses can be compared.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from worker.engine.contracts import EngineError
from worker.engine.tasks.task import Value
from worker.engine.tuning.objectives.objective import DEV_BUDGET, IGNORED, Answered, Batch, Feature, Loss, Row
from worker.engine.tuning.objectives.texts import TextObjective

FOUND, HIDDEN, CHANGED = 0.15, 0.8, 0.1


class HiddenWords(TextObjective):
    """Running text in windows."""

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return windows of each text, with the tokens around them that the model expects."""
        if self.tokenizer.mask is None:
            raise EngineError("bad_spec", "the tokenizer has no token for hidden words, which this task needs")
        texts = [self._whole(row) for row in rows]
        before, behind = self._around(texts[0])
        room = self.max_length - self.virtual_tokens - len(before) - len(behind)
        if room < 1:
            raise EngineError("bad_spec", "max_length leaves no room for a text")
        features = []
        for number, ids in enumerate(self.tokenizer.encode_all(texts, special=False)):
            for start in range(0, len(ids), room):
                window = ids[start : start + room]
                whole = np.array([*before, *window, *behind], dtype=np.int32)
                features.append(
                    Feature(
                        row=number,
                        ids=whole,
                        length=len(whole) + self.virtual_tokens,
                        # Which of its tokens are of the text.
                        target=(len(before), len(before) + len(window)),
                        units=float(self._count(len(window))),
                        extra=None if training else number * 100_003 + start,
                    )
                )
        return features

    def _whole(self, row: Row) -> str:
        """Return a text with the words that its author left out."""
        text: str = row.question["text"]
        mark = getattr(self.settings, "mask", "")
        answers = row.gold.get("answers") or []
        return text.replace(mark, answers[0]) if mark and answers else text

    def _around(self, text: str) -> tuple[list[int], list[int]]:
        bare, whole = self.tokenizer.encode(text, special=False), self.tokenizer.encode(text)
        more = len(whole) - len(bare)
        for at in range(more + 1):
            if whole[at : at + len(bare)] == bare:
                return whole[:at], whole[at + len(bare) :]
        return [], []

    @staticmethod
    def _count(tokens: int) -> int:
        """Return how many tokens of a window are to be found."""
        return max(1, round(FOUND * tokens))

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return rows in which tokens are hidden (rows, width), and what they are."""
        inputs, tokens = self.table(features)
        ids = inputs["input_ids"].cpu()
        targets = torch.full_like(ids, IGNORED)
        for row, feature in enumerate(features):
            # On the processor, so that a GPU hides the same words.
            own = None if feature.extra is None else torch.Generator().manual_seed(feature.extra + self.spec.seed)
            first, last = feature.target
            chosen = first + torch.randperm(last - first, generator=own)[: int(feature.units)]
            targets[row, chosen] = ids[row, chosen]
            draws = torch.rand(len(chosen), generator=own)
            others = torch.randint(self.basis.vocab_size, (len(chosen),), generator=own)
            hidden = torch.where(draws < HIDDEN, torch.full_like(others, self.tokenizer.mask or 0), others)
            ids[row, chosen] = torch.where(draws < HIDDEN + CHANGED, hidden, ids[row, chosen])
        inputs["input_ids"] = ids.to(self.basis.device)
        return Batch(
            features=features,
            inputs=inputs,
            targets=targets.to(self.basis.device),
            tokens=tokens,
            cells=ids.numel(),
        )

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the cross-entropy of what was to be found."""
        wanted = batch.targets != IGNORED  # (rows, width)
        # Most positions need no numbers for the whole vocabulary once they are computed.
        return Loss(
            total=functional.cross_entropy(output.logits[wanted].float(), batch.targets[wanted], reduction="sum")
        )

    def read(self, output: Any, batch: Batch) -> list[Any]:
        """Return nothing: there is no score but the loss."""
        return [None] * len(batch.features)

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return nothing."""
        return []

    def answer(
        self,
        model: Any,
        rows: Sequence[Row],
        features: Sequence[Feature],
        *,
        done: Callable[[float], None] = lambda share: None,
        budget: int = DEV_BUDGET,
    ) -> Answered:
        """Return the loss alone."""
        return Answered(
            predictions=[], loss=super().answer(model, rows, features, done=done, budget=budget).loss, rows=[]
        )
