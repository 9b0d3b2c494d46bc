"""Candidates in order: by a head that reads the query and a candidate together, or by the vectors of both."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from worker.engine.answering.answers import Answers
from worker.engine.answering.embedder import comparable, embedder_of
from worker.engine.answering.first_token import read_first_token
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.contracts import EvaluateSpec
from worker.engine.inference import forward, predict_logits
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.sentence_modules import DOCUMENT_PROMPTS, QUERY_PROMPTS
from worker.engine.statistics.resampling import Array
from worker.engine.tasks.ranking import RankingSettings, TextRanking, rounded
from worker.engine.tasks.task import Value
from worker.engine.tokenizing import Text, Tokens

LATENCY_CANDIDATES = 10


def answer(
    task: TextRanking, spec: EvaluateSpec, settings: RankingSettings, questions: Questions, progress: Progress
) -> Answers:
    """Give each candidate a score, in the way that the model's architecture is made for."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    if model.config.model_class.__name__.endswith("ForSequenceClassification"):
        scores, report = _read_together(task, model, spec, settings, questions, progress)
    else:
        scores, report = _compare_vectors(model, spec, questions, progress)
    counts = np.cumsum([len(row["candidates"]) for row in questions.values])[:-1]
    predictions = [{"scores": [rounded(score) for score in part.tolist()]} for part in np.split(scores, counts)]
    return Answers(predictions=predictions, report=report)


def _read_together(
    task: TextRanking,
    model: LoadedModel,
    spec: EvaluateSpec,
    settings: RankingSettings,
    questions: Questions,
    progress: Progress,
) -> tuple[Array, dict[str, Any]]:
    read_first_token(model.model)
    fits, against = task.fit(model.config.labels, settings)
    max_length = model.max_length(spec.max_length)
    pairs: list[Text] = [(row["query"], candidate) for row in questions.values for candidate in row["candidates"]]
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    tokens = _tokens(model, pairs, max_length)
    logits = predict_logits(
        model,
        tokens,
        budget=spec.token_budget,
        done=lambda count: _tell(progress, count / len(pairs), len(questions.ids)),
    )
    # Of two outputs the difference is what orders as the probability does, and does not run into one.
    scores = logits[:, fits] if against is None else logits[:, fits] - logits[:, against]
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(row: Value) -> None:
        some: list[Text] = [(row["query"], candidate) for candidate in row["candidates"][:LATENCY_CANDIDATES]]
        with torch.inference_mode():
            forward(model, _tokens(model, some, max_length))

    report = {
        "truncated_rows": sum(row.truncated for row in tokens),
        "max_length": max_length,
        "ranked_by": "reading both together",
        "label_map": {model.config.labels[fits]: "relevant"},
        **speed(seconds, len(questions.ids)),
        "latency": latency(questions.values, answer_one),
        **described(model),
    }
    return scores, report


def _compare_vectors(
    model: LoadedModel, spec: EvaluateSpec, questions: Questions, progress: Progress
) -> tuple[Array, dict[str, Any]]:
    embedder = embedder_of(model, spec)
    modules = embedder.modules
    queries = [row["query"] for row in questions.values]
    candidates = [candidate for row in questions.values for candidate in row["candidates"]]
    whole = len(queries) + len(candidates)
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()

    def told(count: int) -> None:
        _tell(progress, count / whole, len(queries))

    read = embedder.embed(candidates, prompt=modules.prompt(DOCUMENT_PROMPTS), done=told)
    asked = embedder.embed(
        queries, prompt=modules.prompt(QUERY_PROMPTS), done=lambda count: told(len(candidates) + count)
    )
    owners = np.repeat(np.arange(len(queries)), [len(row["candidates"]) for row in questions.values])
    scores = _products(comparable(embedder, asked.vectors), comparable(embedder, read.vectors), owners)
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(row: Value) -> None:
        embedder.embed_at_once([row["query"]], prompt=modules.prompt(QUERY_PROMPTS))
        embedder.embed_at_once(row["candidates"][:LATENCY_CANDIDATES], prompt=modules.prompt(DOCUMENT_PROMPTS))

    report = {
        "truncated_rows": read.truncated + asked.truncated,
        "ranked_by": "vectors",
        "similarity": modules.similarity,
        **speed(seconds, len(queries)),
        "latency": latency(questions.values, answer_one),
        **embedder.report(),
    }
    return scores, report


def _tell(progress: Progress, share: float, rows: int) -> None:
    progress.report(0.1 + 0.8 * share, f"{int(share * rows)} of {rows} texts")


def _products(queries: Array, candidates: Array, owners: Sequence[int] | Any) -> Array:
    scores: Array = np.einsum("nd,nd->n", queries[owners], candidates)
    return scores


def _tokens(model: LoadedModel, pairs: list[Text], max_length: int) -> list[Tokens]:
    return model.tokenizer.tokenize(pairs, max_length=max_length, vocab_size=model.vocab_size, filler=model.pad_id or 0)
