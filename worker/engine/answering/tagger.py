"""Models that put a label on every token of a text: taggers of entities."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from worker.engine.answering.answers import Answers
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.contracts import EvaluateSpec
from worker.engine.inference import check_finite, forward, run_batches
from worker.engine.load import LoadedModel, load_model
from worker.engine.measures.entities import OUTSIDE
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.token_classification import TagSettings, TokenClassification
from worker.engine.tokenizing import Tokens


@dataclass(frozen=True)
class Sentence:
    """A tokenised sentence and where its words begin: (words,) positions, -1 for one cut off or without a token."""

    tokens: Tokens
    firsts: list[int]


def answer(
    task: TokenClassification, spec: EvaluateSpec, settings: TagSettings, questions: Questions, progress: Progress
) -> Answers:
    """Tag every word by its first token, as the models were trained; a word that was cut off is outside."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    tags = task.fit(model.config.labels, settings)
    max_length = model.max_length(spec.max_length)
    texts = [value["tokens"] for value in questions.values]
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    sentences = sentences_of(model, texts, max_length)
    chosen: list[list[str]] = [[] for _text in texts]

    def tag(batch: list[int]) -> None:
        logits = forward(model, [sentences[index].tokens for index in batch])  # (rows, tokens, labels)
        for row, index in enumerate(batch):
            chosen[index] = _tags(logits[row], sentences[index], tags)

    run_batches(
        model,
        [len(sentence.tokens.ids) for sentence in sentences],
        tag,
        budget=spec.token_budget,
        done=lambda count: progress.report(0.1 + 0.8 * count / len(texts), f"{count} of {len(texts)} texts"),
    )
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(words: list[str]) -> None:
        with torch.inference_mode():
            forward(model, [sentences_of(model, [words], max_length)[0].tokens])

    report: dict[str, Any] = {
        "truncated_rows": sum(sentence.tokens.truncated for sentence in sentences),
        "max_length": max_length,
        "label_map": dict(zip(model.config.labels, tags, strict=True)),
        **speed(seconds, len(texts)),
        "latency": latency(texts, answer_one),
        **described(model),
    }
    return Answers(predictions=[{"tags": row} for row in chosen], report=report)


def sentences_of(model: LoadedModel, texts: list[list[str]], max_length: int) -> list[Sentence]:
    """Return the words in tokens, with the first token of each word."""
    encodings = model.tokenizer.encode_words(
        texts, max_length=max_length, vocab_size=model.vocab_size, filler=model.pad_id or 0
    )
    sentences = []
    for words, (tokens, word_ids) in zip(texts, encodings, strict=True):
        firsts = [-1] * len(words)
        for position, word in enumerate(word_ids):
            if word is not None and firsts[word] < 0:
                firsts[word] = position
        sentences.append(Sentence(tokens, firsts))
    return sentences


def _tags(logits: np.ndarray[Any, Any], sentence: Sentence, tags: list[str]) -> list[str]:
    read = logits[[position for position in sentence.firsts if position >= 0]]
    if len(read):
        check_finite(read)
    winners = iter(read.argmax(axis=-1).tolist() if len(read) else [])
    return [tags[next(winners)] if position >= 0 else OUTSIDE for position in sentence.firsts]
