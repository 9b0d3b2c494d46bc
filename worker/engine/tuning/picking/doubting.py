"""The verb `doubt`: a model answers as in an evaluation, and of words it also says how sure it is of each tag.

Answers come in turns that are kept, as those of evaluations are, so that a lost worker loses little.
"""

import importlib
from typing import Any

import numpy as np

from worker.engine.answering import tagger
from worker.engine.answering.answers import Answers
from worker.engine.contracts import ENGINE_VERSION, EvaluateSpec
from worker.engine.evaluating import answer_all
from worker.engine.inference import check_finite, forward, run_batches
from worker.engine.load import choose_device, load_model
from worker.engine.measures.entities import OUTSIDE
from worker.engine.progress import Progress
from worker.engine.repeating import repeatable
from worker.engine.rows import Questions
from worker.engine.tasks import find
from worker.engine.tasks.heads import softmax
from worker.engine.tasks.task import Task
from worker.engine.tuning.picking.doubts import of_probabilities

DIGITS = 4


def doubt(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Write predictions.jsonl into spec.out_dir and return the report."""
    task = find(spec.task)
    family = tags if task.name == "token-classification" else importlib.import_module(task.answering).answer
    repeatable(spec.seed, spec.threads)
    device = choose_device(spec.device).type
    return answer_all(spec, progress, family, version=f"{ENGINE_VERSION}+doubt", device=device)


def tags(task: Task[Any], spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress) -> Answers:
    """Tag every word, and say how little the model was sure of it by both measures."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    known = task.fit(model.config.labels, settings)  # type: ignore[attr-defined]
    words = [value["tokens"] for value in questions.values]
    sentences = tagger.sentences_of(model, words, model.max_length(spec.max_length))
    found: list[dict[str, Any]] = [{} for _ in words]

    def tag(batch: list[int]) -> None:
        logits = forward(model, [sentences[index].tokens for index in batch])  # (rows, tokens, labels)
        for row, index in enumerate(batch):
            found[index] = _of_words(logits[row], sentences[index].firsts, known)

    run_batches(
        model,
        [len(sentence.tokens.ids) for sentence in sentences],
        tag,
        budget=spec.token_budget,
        done=lambda count: progress.report(count / len(words), f"{count} of {len(words)} texts"),
    )
    return Answers(predictions=found)


def _of_words(logits: np.ndarray[Any, Any], firsts: list[int], known: list[str]) -> dict[str, Any]:
    """Return the tag of each word with its doubt; a word that was cut off is outside, and nothing is known of it."""
    read = logits[[position for position in firsts if position >= 0]]  # (words, labels)
    if not len(read):
        return {"tags": [OUTSIDE] * len(firsts), "margin": [0.0] * len(firsts), "entropy": [0.0] * len(firsts)}
    check_finite(read)
    doubts = {order: iter(of_probabilities(softmax(read), order).tolist()) for order in ("margin", "entropy")}
    winners = iter(read.argmax(axis=-1).tolist())
    return {
        "tags": [known[next(winners)] if position >= 0 else OUTSIDE for position in firsts],
        **{
            order: [round(next(numbers), DIGITS) if position >= 0 else 0.0 for position in firsts]
            for order, numbers in doubts.items()
        },
    }
