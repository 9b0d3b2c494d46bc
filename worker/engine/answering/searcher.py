"""The documents of a corpus that are nearest to each query, by the vectors of both."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from worker.engine.answering.answers import Answers
from worker.engine.answering.embedder import Embedded, Embedder, comparable, load_embedder
from worker.engine.answering.measuring import latency, speed
from worker.engine.answering.sharing import once
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.sentence_modules import DOCUMENT_PROMPTS, QUERY_PROMPTS
from worker.engine.statistics.resampling import Array
from worker.engine.tasks.retrieval import TextRetrieval, own_of, top
from worker.engine.tasks.task import Value

# Numbers that are held at a time: (queries, documents) similarities of 8 bytes each.
HELD_NUMBERS = 16_000_000


def answer(task: TextRetrieval, spec: EvaluateSpec, settings: Any, questions: Questions, progress: Progress) -> Answers:
    """Read the corpus once, then the queries, and compare all with all."""
    documents = questions.context.get("corpus", [])
    if not documents:
        raise EngineError("bad_spec", "context must hold the documents of the corpus")
    names = [str(row["id"]) for row in documents]
    embedder = load_embedder(spec)
    prompt = embedder.modules.prompt(QUERY_PROMPTS)
    rows = len(questions.ids)
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    # Questions come in turns, and once more in other words; the corpus is read once.
    corpus = once(
        ("corpus", spec.model_dir, spec.context),
        lambda: _corpus(
            embedder, documents, lambda count: progress.report(0.1 + 0.7 * count / len(names), "reading the documents")
        ),
    )
    asked = embedder.embed(
        [row["query"] for row in questions.values],
        prompt=prompt,
        done=lambda count: progress.report(0.8 + 0.1 * count / rows, f"{count} of {rows} texts"),
    )
    held = corpus.vectors
    predictions = _nearest(comparable(embedder, asked.vectors), held, names, list(map(own_of, questions.values)))
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(row: Value) -> None:
        vector = comparable(embedder, embedder.embed_at_once([row["query"]], prompt=prompt))
        top((vector @ held.T)[0], names)

    report = {
        "truncated_rows": asked.truncated,
        "truncated_documents": corpus.truncated,
        "similarity": embedder.modules.similarity,
        "documents": len(names),
        **speed(seconds, rows),
        "latency": latency(questions.values, answer_one),
        **embedder.report(),
    }
    return Answers(predictions=predictions, report=report)


def _corpus(embedder: Embedder, documents: Sequence[Value], told: Callable[[int], None]) -> Embedded:
    found = embedder.embed(
        [row["text"] for row in documents], prompt=embedder.modules.prompt(DOCUMENT_PROMPTS), done=told
    )
    return Embedded(comparable(embedder, found.vectors), found.truncated)


def _nearest(queries: Array, documents: Array, names: Sequence[str], left_out: Sequence[str]) -> list[Value]:
    predictions: list[Value] = []
    rows = max(1, HELD_NUMBERS // len(documents))
    for start in range(0, len(queries), rows):
        similarities = queries[start : start + rows] @ documents.T  # (rows, documents)
        for scores, own in zip(similarities, left_out[start : start + rows], strict=True):
            best = top(np.asarray(scores), names, leave_out=own)
            predictions.append({"documents": [name for name, _ in best], "scores": [score for _, score in best]})
    return predictions
