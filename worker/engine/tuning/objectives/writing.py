"""Answers in a model's own words: a decoder learns to go on from a prompt, an encoder-decoder to write from a text.

The dev set is judged by what is written to some of its rows, the likeliest token after the other, as in evaluations.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tokenizers import decoders
from torch.nn import functional

from worker.engine.answering.generator import Hand, ends_of, first_token_of, start_of
from worker.engine.batching import plan_batches
from worker.engine.tasks.task import Task, Value
from worker.engine.tasks.writing import WritingTask
from worker.engine.tokenizing import check_ids
from worker.engine.tuning.basis import Basis
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.causal import Causal
from worker.engine.tuning.objectives.chats import Chat, chat_of
from worker.engine.tuning.objectives.objective import (
    DEV_BUDGET,
    IGNORED,
    Answered,
    Batch,
    Feature,
    Loss,
    Row,
    padded,
)
from worker.engine.tuning.question_texts import texts_in

# Rows of the dev set that are answered: writing is slow, and is done after every epoch.
WRITTEN = 64
# Of what a model reads, the most that is left to an answer.
ANSWER_SHARE = 2


class Writing(Causal):
    """One answer to each question, the first of those that are right."""

    task: WritingTask[Any]

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        assert basis.config is not None
        self._has_encoder = basis.config.has_encoder
        self._chat: Chat | None = None
        self._most = max(1, min(settings.max_new_tokens, self.max_length // ANSWER_SHARE))

    @classmethod
    def texts(cls, rows: Sequence[Row]) -> Iterator[str]:
        """Yield questions and answers."""
        for row in rows:
            yield from texts_in(row.question)
            yield from texts_in(row.gold.get("answers", []))

    def told(self) -> dict[str, Any]:
        """Return how an encoder-decoder begins and ends what it writes."""
        if not self._has_encoder:
            return {}
        first = first_token_of(self.loaded, getattr(self.settings, "target_language", ""))
        return {
            "start_token": start_of(self.loaded),
            "begin_tokens": [] if first is None else [first],
            "end_tokens": self.ends(),
            "last_tokens": sorted(ends_of(self.loaded)),
            "until": self.settings.until,
            "max_new_tokens": self.settings.max_new_tokens,
            "bleu_tokenization": getattr(self.settings, "bleu_tokenization", "13a"),
            "joins_chinese": isinstance(self.tokenizer.tokenizer.decoder, decoders.WordPiece),
        }

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return each question with its answer."""
        if self._has_encoder:
            return self._pairs(rows)
        features = [feature for number, row in enumerate(rows) for feature in self._going_on(number, row)]
        return self.packed(features) if training and self.recipe.packing else features

    def _going_on(self, number: int, row: Row) -> list[Feature]:
        if "messages" in row.question:
            return self._conversation(number, row)
        [prompt] = self.task.prompts([row.question], [], replace(self.settings, few_shot=0), 0)
        asked = self.tokenizer.encode(prompt)
        answer = self.tokenizer.encode(self.settings.before_answer + row.gold["answers"][0], special=False)
        room = self.max_length - self.virtual_tokens
        answer = [*answer[: max(1, room - 2)], *self.ends()]
        # Of a prompt that is too long the end is read, as when it is answered.
        asked = asked[-max(1, room - len(answer)) :] or [self.basis.pad_id]
        ids = [*asked, *answer][:room]
        check_ids(ids, self.basis.vocab_size)
        if len(ids) < 2:
            return []
        return [self.feature(number, ids, len(asked) if self.recipe.completion_only else 1)]

    def _conversation(self, number: int, row: Row) -> list[Feature]:
        """Return a conversation as the template of the model writes it; what the assistant says is learned."""
        self._chat = self._chat or chat_of(self.spec)
        ids, wanted = self._chat.tokens(row.question["messages"], self.tokenizer, most=self.max_length)
        check_ids(ids, self.basis.vocab_size)
        found = self.feature(number, ids, *(wanted if self.recipe.completion_only else [1]))
        return [found] if found.units else []

    def _pairs(self, rows: Sequence[Row]) -> list[Feature]:
        sources = self.tokenized(self.task.sources([row.question for row in rows]))
        answers = self.tokenizer.encode_all([row.gold["answers"][0] for row in rows], special=False)
        first = first_token_of(self.loaded, getattr(self.settings, "target_language", ""))
        begins = [] if first is None else [first]
        features = []
        for number, (source, answer) in enumerate(zip(sources, answers, strict=True)):
            ids = [*begins, *answer[: self.max_length - 2], *self.ends()] or [self.basis.pad_id]
            check_ids(ids, self.basis.vocab_size)
            features.append(
                Feature(
                    row=number,
                    ids=np.array(source.ids, dtype=np.int32),
                    length=len(source.ids) + len(ids) + self.virtual_tokens,
                    target=np.array(ids, dtype=np.int32),
                    units=float(len(ids)),
                )
            )
        return features

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return rows, and what is to be written (rows, width)."""
        if not self._has_encoder:
            return super().collate(features, training=training)
        inputs, tokens = self.table(features)
        written, held = padded([feature.target for feature in features], filler=self.basis.pad_id, side="right")
        start = torch.full((len(features), 1), start_of(self.loaded))
        inputs["decoder_input_ids"] = torch.cat([start, written[:, :-1]], dim=1).to(self.basis.device)
        return Batch(
            features=features,
            inputs=inputs,
            targets=written.masked_fill(held == 0, IGNORED).to(self.basis.device),
            tokens=tokens + int(held.sum()),
            cells=inputs["input_ids"].numel() + written.numel(),
        )

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the cross-entropy of what is to be written."""
        if not self._has_encoder:
            return super().loss(output, batch, training=training)
        total = functional.cross_entropy(
            output.logits.float().flatten(0, 1),  # (rows x width, vocabulary)
            batch.targets.flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.recipe.label_smoothing if training else 0.0,
            reduction="sum",
        )
        return Loss(total=total)

    def read(self, output: Any, batch: Batch) -> list[Any]:
        """Return nothing: answers are written apart."""
        return [None] * len(batch.features)

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return nothing: answers are written apart."""
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
        """Return the loss on all rows, and answers to some of them, evenly spread."""
        found = super().answer(model, rows, features, done=done, budget=budget)
        asked = [row for row in rows if "messages" not in row.question]
        some = asked[:: max(1, -(-len(asked) // WRITTEN))]
        return Answered(predictions=self._written(model, some), loss=found.loss, rows=some)

    def _written(self, model: Any, rows: Sequence[Row]) -> list[Value]:
        if not rows:
            return []
        settings = replace(self.settings, max_new_tokens=self._most, few_shot=0)
        loaded = replace(self.loaded, model=model)
        hand = Hand(loaded, settings, self.max_length - self.virtual_tokens)
        questions = [row.question for row in rows]
        prompts = self.task.sources(questions) if self._has_encoder else self.task.prompts(questions, [], settings, 0)
        asked = [hand.read(prompt).ids for prompt in prompts]
        answers: list[Value] = [{} for _row in rows]
        with torch.inference_mode():
            for batch in plan_batches([len(ids) + self._most for ids in asked], DEV_BUDGET):
                for number, value in zip(batch, hand.write([asked[number] for number in batch]), strict=True):
                    answers[number] = value
        return answers
