"""Models that predict the next token: how likely they find texts, choices and sentences."""

import time
from typing import Any

from worker.engine.answering.answers import Answers
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.continuations import Part, Row, is_lossless, tokenised
from worker.engine.contracts import EvaluateSpec
from worker.engine.likelihoods import likelihoods
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.likelihoods import Asked, Found, LikelihoodTask


def answer(
    task: LikelihoodTask[Any], spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress
) -> Answers:
    """Answer every question by the likelihoods of its texts."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    max_length = model.max_length(spec.max_length)
    examples = questions.context.get("train", [])
    asked = [task.asked(value, examples, settings, spec.seed) for value in questions.values]
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    parts = _parts(model, asked, max_length)
    rows, groups = _rows(parts)
    found = likelihoods(
        model,
        rows,
        groups,
        budget=spec.token_budget,
        done=lambda share: progress.report(0.1 + 0.8 * share, f"{round(100 * share)} % of the texts"),
    )
    values = iter(zip(found.values.tolist(), found.greedy.tolist(), strict=True))
    predictions = []
    for texts, of_texts in zip(asked, parts, strict=True):
        lossless = [not task.wants_lossless or is_lossless(model, text.text) for text in texts]
        read = [
            _found([next(values) for _row in part.rows], part, whole)
            for part, whole in zip(of_texts, lossless, strict=True)
        ]
        predictions.append(task.answer(read))
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(texts: list[Asked]) -> None:
        own, group = _rows(_parts(model, [texts], max_length))
        likelihoods(model, own, group, budget=spec.token_budget)

    report: dict[str, Any] = {
        "truncated_rows": sum(any(part.truncated for part in of_texts) for of_texts in parts),
        "max_length": max_length,
        "label_map": {},
        "chat_template": "not applied",
        "tokens": sum(len(row.ids) - 1 for row in rows),
        "tokens_read": found.read,
        **speed(seconds, len(asked)),
        "latency": latency(asked, answer_one),
        **described(model),
    }
    return Answers(predictions=predictions, report=report)


def _parts(model: LoadedModel, asked: list[list[Asked]], max_length: int) -> list[list[Part]]:
    found = iter(tokenised(model, [text for texts in asked for text in texts], max_length))
    return [[next(found) for _text in texts] for texts in asked]


def _rows(parts: list[list[Part]]) -> tuple[list[Row], list[int]]:
    """Return all rows, and the number of the question that each belongs to."""
    pairs = [(row, at) for at, of_texts in enumerate(parts) for part in of_texts for row in part.rows]
    return [row for row, _at in pairs], [at for _row, at in pairs]


def _found(values: list[tuple[float, bool]], part: Part, lossless: bool) -> Found:
    likely, greedy = sum(value for value, _greedy in values), all(first for _value, first in values)
    return Found(likely, part.tokens, greedy, lossless)
