"""Questions to answers that stand in a passage, which is read in overlapping windows where it is long."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from worker.engine.answering.reader import Found, answer_of, best_span
from worker.engine.tasks.question_answering import QuestionAnswering
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.basis import Head
from worker.engine.tuning.objectives.objective import Batch, Feature, Loss, Row
from worker.engine.tuning.objectives.texts import TextObjective
from worker.engine.windows import Window, windows_of

NOWHERE = (0, 0)  # that there is no answer is said by the first token


class SpanFinding(TextObjective):
    """Where an answer begins and ends: two numbers a token."""

    maskable = attackable = True
    task: QuestionAnswering

    @classmethod
    def head(cls, task: Task[Any], settings: Any) -> Head:
        """Return a head of two outputs, which have no names."""
        return Head(labels=["LABEL_0", "LABEL_1"])

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return a feature for each window; one without the answer says that it is not there."""
        pairs = [(row.question["question"], row.question["context"]) for row in rows]
        windows = windows_of(
            self.tokenizer,
            pairs,
            max_length=self.max_length - self.virtual_tokens,
            vocab_size=self.basis.vocab_size,
            filler=self.basis.pad_id,
        )
        return list(self._features(windows, rows))

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return windows (rows, width), and the places where answers begin and end (rows, 2)."""
        targets = torch.tensor([feature.target for feature in features])
        batch = self.batch(features, targets)
        if self.padding_side == "left":
            width = batch.inputs["input_ids"].shape[1]
            shift = torch.tensor([width - len(feature.ids) for feature in features], device=targets.device)
            batch.targets = batch.targets + shift[:, None].to(batch.targets.device)
        return batch

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the mean of both cross-entropies, over the tokens of each window."""
        outside = ~batch.inputs["attention_mask"].bool()
        smoothing = self.recipe.label_smoothing if training else 0.0
        starts = output.start_logits.float().masked_fill(outside, -1e4)  # (rows, width)
        ends = output.end_logits.float().masked_fill(outside, -1e4)  # (rows, width)
        total = sum(
            F.cross_entropy(logits, batch.targets[:, side], label_smoothing=smoothing, reduction="sum")
            for side, logits in enumerate((starts, ends))
        )
        return Loss(total=torch.as_tensor(total) / 2, logits=torch.cat([starts, ends]))

    def read(self, output: Any, batch: Batch) -> list[Any]:
        """Return the best span of each window, and how sure the model is that there is none."""
        held = batch.inputs["attention_mask"].bool().cpu().numpy()
        starts, ends = (part.double().cpu().numpy() for part in (output.start_logits, output.end_logits))
        found = []
        for row, feature in enumerate(batch.features):
            first, last = starts[row][held[row]], ends[row][held[row]]
            span = best_span(first, last, feature.extra, self.settings.max_answer_length)
            found.append((span, float(first[0] + last[0])))
        return found

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return the best answer over all windows, as evaluations do."""
        best: list[Found | None] = [None] * len(rows)
        silence = np.full(len(rows), np.inf)
        for feature, (span, null) in zip(features, read, strict=True):
            silence[feature.row] = min(silence[feature.row], null)
            known = best[feature.row]
            if span is not None and (known is None or span < known):
                best[feature.row] = span
        return [
            answer_of(row.question["context"], span, float(null), self.settings)
            for row, span, null in zip(rows, best, silence, strict=True)
        ]

    def _features(self, windows: Iterator[Window], rows: Sequence[Row]) -> Iterator[Feature]:
        for window in windows:
            row = rows[window.question]
            yield Feature(
                row=window.question,
                ids=np.array(window.tokens.ids, dtype=np.int32),
                length=len(window.tokens.ids) + self.virtual_tokens,
                target=_places(window, place_of(row)),
                type_ids=np.array(window.tokens.type_ids, dtype=np.int32),
                extra=window,
            )


def place_of(row: Row) -> tuple[int, int] | None:
    """Return where the first answer stands, in characters; where nobody says so, the first place with its text."""
    answers = row.gold["answers"]
    if not answers:
        return None
    context, answer = row.question["context"], answers[0]
    stated = row.gold.get("starts") or [-1]
    start = stated[0] if context[stated[0] : stated[0] + len(answer)] == answer else context.find(answer)
    return None if start < 0 else (start, start + len(answer))


def _places(window: Window, answer: tuple[int, int] | None) -> tuple[int, int]:
    """Return the tokens of a window that begin and end an answer, where all of it is in the window."""
    if answer is None:
        return NOWHERE
    start, end = answer
    starts, ends = window.piece.starts, window.piece.ends
    inside = np.flatnonzero((ends > start) & (starts < end) & (ends > starts))
    if not len(inside) or starts[inside[0]] > start or ends[inside[-1]] < end:
        return NOWHERE
    return window.first + int(inside[0]), window.first + int(inside[-1])
