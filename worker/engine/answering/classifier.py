"""Models that read a text, or a pair, and put a few numbers on top: classifiers and regressors."""

import time
from typing import Any

import torch

from worker.engine.answering.answers import Answers
from worker.engine.answering.first_token import read_first_token
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.contracts import EvaluateSpec
from worker.engine.inference import forward, predict_logits
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.heads import HeadTask
from worker.engine.tasks.task import Value
from worker.engine.tokenizing import Text, Tokens


def answer(task: HeadTask[Any], spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress) -> Answers:
    """Answer every question in batches of like length."""
    model = load_model(
        spec.model_dir, heads=task.heads, problem_types=task.problem_types, dtype=spec.dtype, device=spec.device
    )
    read_first_token(model.model)
    multiply_with_onednn(model.model)
    positions = task.fit(model.config.labels, settings)
    max_length = model.max_length(spec.max_length)
    texts = [_text(value) for value in questions.values]
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    tokens = _tokens(model, texts, max_length)
    logits = predict_logits(
        model,
        tokens,
        budget=spec.token_budget,
        done=lambda count: progress.report(0.1 + 0.8 * count / len(texts), f"{count} of {len(texts)} texts"),
    )
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(text: Text) -> None:
        with torch.inference_mode():
            forward(model, _tokens(model, [text], max_length))

    report = {
        "truncated_rows": sum(row.truncated for row in tokens),
        "max_length": max_length,
        "label_map": task.reading(model.config.labels, positions, settings),
        **speed(seconds, len(texts)),
        "latency": latency(texts, answer_one),
        **described(model),
    }
    return Answers(predictions=task.answers(logits, positions, settings), report=report)


def _text(question: Value) -> Text:
    return (question["text"], question["text2"]) if "text2" in question else question["text"]


def _tokens(model: LoadedModel, texts: list[Text], max_length: int) -> list[Tokens]:
    return model.tokenizer.tokenize(texts, max_length=max_length, vocab_size=model.vocab_size, filler=model.pad_id or 0)
