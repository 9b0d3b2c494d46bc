"""A question as a model reads it, and which of its tokens make up each word."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Encoding

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.load import LoadedModel
from worker.engine.tokenizing import check_ids

MAX_ANSWER = 64

# Outputs of a model (rows, ...) to one number a row (rows,).
Score = Callable[[Any], torch.Tensor]


@dataclass(frozen=True)
class Word:
    """A word of the question: the tokens that make it up, and where it stands in the text of a field."""

    field: str
    start: int
    end: int
    tokens: tuple[int, ...]
    number: int | None = None  # of a question that is split into words


@dataclass(frozen=True)
class Asked:
    """One row for the model."""

    inputs: dict[str, torch.Tensor]  # (1, tokens)
    words: list[Word]
    texts: dict[str, str]
    truncated: bool

    def repeated(self, rows: int) -> dict[str, torch.Tensor]:
        """Return the row so many times (rows, tokens)."""
        return {name: tensor.expand(rows, -1) for name, tensor in self.inputs.items()}


def ask(model: LoadedModel, question: dict[str, Any], max_length: int) -> Asked:
    """Return the question in tokens; of a passage that is too long the beginning."""
    tokenizer = model.tokenizer.tokenizer
    length = model.max_length(max_length)
    with failing_as("tokenizer_unreadable", "The tokenizer fails on the question."):
        if "tokens" in question:
            tokenizer.enable_truncation(length)
            encoding = tokenizer.encode(question["tokens"], is_pretokenized=True)
        elif "context" in question:
            tokenizer.enable_truncation(length, strategy="only_second")
            encoding = tokenizer.encode(question["question"], question["context"])
        else:
            tokenizer.enable_truncation(length)
            encoding = tokenizer.encode(*question.values())
        tokenizer.no_truncation()
    check_ids(encoding.ids, model.vocab_size)
    if not encoding.ids:
        raise EngineError("bad_spec", "The tokenizer makes no token of the question.")
    inputs = {"input_ids": encoding.ids, "attention_mask": [1] * len(encoding.ids)}
    if model.type_vocab_size > 1:
        inputs["token_type_ids"] = encoding.type_ids
    tensors = {name: torch.tensor([row]) for name, row in inputs.items()}
    if "tokens" in question:
        words, texts = _given_words(encoding, question["tokens"]), {"tokens": " ".join(question["tokens"])}
    else:
        texts = {name: question[name] for name in ("text", "text2", "question", "context") if name in question}
        words = _found_words(encoding, texts)
    if not words:
        raise EngineError("bad_spec", "The model reads no word of the question.")
    return Asked(tensors, words, texts, bool(encoding.overflowing))


def _found_words(encoding: Encoding, texts: dict[str, str]) -> list[Word]:
    """Return the words as the tokenizer tells them apart, without the space around them."""
    fields = list(texts)
    grouped: dict[tuple[int, int], list[int]] = {}
    for place, (sequence, word) in enumerate(zip(encoding.sequence_ids, encoding.word_ids, strict=True)):
        if sequence is not None and word is not None:
            grouped.setdefault((sequence, word), []).append(place)
    words = []
    for (sequence, _word), places in grouped.items():
        text = texts[fields[sequence]]
        start = min(encoding.offsets[place][0] for place in places)
        end = max(encoding.offsets[place][1] for place in places)
        inside = text[start:end]
        start += len(inside) - len(inside.lstrip())
        end = start + len(inside.strip())
        if end > start:
            words.append(Word(fields[sequence], start, end, tuple(places)))
    return sorted(words, key=lambda word: (fields.index(word.field), word.start))


def _given_words(encoding: Encoding, given: list[str]) -> list[Word]:
    places: dict[int, list[int]] = {}
    for place, word in enumerate(encoding.word_ids):
        if word is not None:
            places.setdefault(word, []).append(place)
    starts = np.cumsum([0, *(len(word) + 1 for word in given)]).tolist()
    return [
        Word("tokens", starts[number], starts[number] + len(given[number]), tuple(found), number)
        for number, found in sorted(places.items())
    ]
