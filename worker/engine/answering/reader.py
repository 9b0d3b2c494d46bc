"""Models that find the answer to a question in a passage: two numbers a token, for where an answer begins and ends."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.answering.answers import Answers
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.inference import check_finite, output, run_batches
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.question_answering import MAX_ANSWER, QuestionAnswering, ReaderSettings
from worker.engine.tasks.task import Array, Value
from worker.engine.windows import Window, windows_of


@dataclass(frozen=True, order=True, slots=True)
class Found:
    """An answer: the least is the best, and of equals the first in the passage, whatever the order of the batches."""

    cost: float  # the sum of both logits, negative
    start: int  # characters of the passage
    end: int


def answer(
    task: QuestionAnswering, spec: EvaluateSpec, settings: ReaderSettings, questions: Questions, progress: Progress
) -> Answers:
    """Return the most probable span over all windows of each passage, as the reference programs for SQuAD do."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    if len(model.config.labels) != 2:
        raise EngineError(
            "label_mismatch",
            f"config.json has {len(model.config.labels)} labels; a model that finds answers gives two numbers a "
            "token, for beginning and end. Remove id2label and num_labels from it, or fine-tune the model anew.",
        )
    max_length = model.max_length(spec.max_length)
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    windows = _windows(model, questions.values, max_length)
    best: list[Found | None] = [None] * len(questions.ids)
    silence = np.full(len(questions.ids), np.inf)

    def read(batch: list[int]) -> None:
        starts, ends = _logits(model, [windows[index] for index in batch])
        for row, index in enumerate(batch):
            window = windows[index]
            # That there is no answer is said by the first token; no window may find one.
            silence[window.question] = min(silence[window.question], starts[row, 0] + ends[row, 0])
            found = best_span(starts[row], ends[row], window, settings.max_answer_length)
            known = best[window.question]
            if found is not None and (known is None or found < known):
                best[window.question] = found

    run_batches(
        model,
        [len(window.tokens.ids) for window in windows],
        read,
        budget=spec.token_budget,
        done=lambda count: progress.report(0.1 + 0.8 * count / len(windows), f"{count} of {len(windows)} passages"),
    )
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(question: Value) -> None:
        own = _windows(model, [question], max_length)

        def read_own(batch: list[int]) -> None:
            _logits(model, [own[index] for index in batch])

        run_batches(model, [len(window.tokens.ids) for window in own], read_own, budget=spec.token_budget)

    report: dict[str, Any] = {
        "truncated_rows": len({window.question for window in windows if window.tokens.truncated}),
        "windows": len(windows),
        "max_length": max_length,
        **speed(seconds, len(questions.ids)),
        "latency": latency(questions.values, answer_one),
        **described(model),
    }
    predictions = [
        answer_of(question["context"], found, float(null), settings)
        for question, found, null in zip(questions.values, best, silence, strict=True)
    ]
    return Answers(predictions=predictions, report=report)


def _windows(model: LoadedModel, questions: list[Value], max_length: int) -> list[Window]:
    pairs = [(question["question"], question["context"]) for question in questions]
    filler = model.pad_id or 0
    return list(windows_of(model.tokenizer, pairs, max_length=max_length, vocab_size=model.vocab_size, filler=filler))


def _logits(model: LoadedModel, windows: list[Window]) -> tuple[Array, Array]:
    """Return the logits of beginning and end, (rows, tokens) each; what lies behind a row is padding."""
    said = output(model, [window.tokens for window in windows])
    starts, ends = (part.double().cpu().numpy() for part in (said.start_logits, said.end_logits))
    for row, window in enumerate(windows):
        check_finite(np.stack((starts[row], ends[row]), axis=1)[: len(window.tokens.ids)])
    return starts, ends


def best_span(starts: Array, ends: Array, window: Window, longest: int) -> Found | None:
    """Return the best span of at most so many tokens of the passage; every span is looked at."""
    piece = window.piece
    if not piece.solid.any():
        return None
    inside = slice(window.first, window.first + len(piece.solid))
    start, end = (np.where(piece.solid, logits[inside], -np.inf) for logits in (starts, ends))
    padded = np.concatenate((end, np.full(longest - 1, -np.inf)))
    reachable = np.lib.stride_tricks.sliding_window_view(padded, longest)  # (tokens, longest)
    lengths = reachable.argmax(axis=1)  # (tokens,)
    sums = start + reachable[np.arange(len(start)), lengths]  # (tokens,)
    first = int(sums.argmax())
    last = first + int(lengths[first])
    return Found(-float(sums[first]), int(piece.starts[first]), int(piece.ends[last]))


def answer_of(context: str, found: Found | None, silence: float, settings: ReaderSettings) -> Value:
    """Return the answer as it stands in the passage, without the space around it."""
    if found is None or (settings.no_answer and silence > -found.cost):
        return {"text": "", "start": None}
    text = context[found.start : found.end]
    stripped = text.strip()[:MAX_ANSWER].rstrip()
    # A tokenizer whose places run backwards leaves nothing between them.
    return {"text": stripped, "start": found.start + len(text) - len(text.lstrip()) if stripped else None}
