"""How alike the two texts of each pair are: the cosine of their vectors."""

import time
from typing import Any

import numpy as np

from worker.engine.answering.answers import Answers
from worker.engine.answering.embedder import load_embedder, normalised
from worker.engine.answering.measuring import latency, speed
from worker.engine.contracts import EvaluateSpec
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.statistics.resampling import Array
from worker.engine.tasks.sentence_similarity import DIGITS, SentenceSimilarity
from worker.engine.tasks.task import Value


def answer(
    task: SentenceSimilarity, spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress
) -> Answers:
    """Answer every pair; both texts get the prompt that the author names for a text of any sort."""
    embedder = load_embedder(spec)
    prompt = embedder.modules.prompt()
    texts = [row[side] for side in ("text", "text2") for row in questions.values]
    rows = len(questions.ids)
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    embedded = embedder.embed(
        texts,
        prompt=prompt,
        done=lambda count: progress.report(0.1 + 0.8 * count / len(texts), f"{count // 2} of {rows} texts"),
    )
    first, second = np.split(normalised(embedded.vectors), 2)
    cosines = _cosines(first, second)
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(row: Value) -> None:
        vectors = normalised(embedder.embed_at_once([row["text"], row["text2"]], prompt=prompt))
        _cosines(vectors[:1], vectors[1:])

    report = {
        "truncated_rows": embedded.truncated,
        "similarity": "cosine",
        **speed(seconds, rows),
        "latency": latency(questions.values, answer_one),
        **embedder.report(),
    }
    # Adding zero turns the minus of -0.0 away.
    return Answers(
        predictions=[{"similarity": round(value, DIGITS) + 0.0} for value in cosines.tolist()], report=report
    )


def _cosines(first: Array, second: Array) -> Array:
    found: Array = np.einsum("nd,nd->n", first, second)
    return found
