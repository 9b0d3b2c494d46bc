"""The verb `explain`."""

import math
from pathlib import Path
from typing import Any

import torch

from worker.engine.answering.sharing import standing_on
from worker.engine.contracts import EngineError, require
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel, is_adapter, load_model
from worker.engine.measures.entities import OUTSIDE
from worker.engine.progress import Progress
from worker.engine.repeating import repeatable
from worker.engine.tuning.explaining.asked import MAX_ANSWER, Asked, Score, ask
from worker.engine.tuning.explaining.contracts import ExplainSpec
from worker.engine.tuning.explaining.weighing import Weighed, by_gradients, by_occlusion, filler_of
from worker.engine.tuning.exporting.kinds import Kind, adapted_kind, kind_of, load_subject
from worker.engine.tuning.exporting.published import write_json

FORMS = {
    "text-classification": ({"text"}, {"text", "text2"}),
    "token-classification": ({"tokens"},),
    "question-answering": ({"question", "context"},),
}
DIGITS = 6


def explain(spec: ExplainSpec, progress: Progress) -> dict[str, Any]:
    """Return the words of the question, each with its place and what it adds to the answer."""
    repeatable(spec.seed, spec.threads)
    progress.report(0.0, "loading the model", always=True)
    kind, model = _subject(spec)
    require(kind.name in FORMS, f"answers of models for {kind.name} are not explained")
    require(set(spec.question) in FORMS[kind.name], f"the question is not one for {kind.name}")
    model.model.requires_grad_(requires_grad=False)
    asked = ask(model, spec.question, spec.max_length)
    progress.report(0.2, "explaining", always=True)
    with failing_as("inference_failed", "The model fails on the question."):
        score, answer = _chosen(kind.name, model, asked, spec)
        weighed = (
            by_gradients(model, asked, score, spec.steps)
            if spec.method == "gradients"
            else by_occlusion(model, asked, score)
        )
    _check(weighed)
    found = {
        "task": kind.name,
        "method": spec.method,
        "steps": spec.steps if spec.method == "gradients" else None,
        **answer,
        "score": round(weighed.score, DIGITS),
        "nothing": round(weighed.nothing, DIGITS),
        "delta": None if weighed.delta is None else round(weighed.delta, DIGITS),
        "hidden_by": model.tokenizer.tokenizer.id_to_token(filler_of(model)),
        "texts": asked.texts,
        "truncated": asked.truncated,
        "words": [
            {
                "field": word.field,
                "start": word.start,
                "end": word.end,
                "weight": round(weight, DIGITS),
                **({} if word.number is None else {"number": word.number}),
            }
            for word, weight in zip(asked.words, weighed.weights, strict=True)
        ],
    }
    write_json(Path(spec.out), found)
    progress.report(1.0, "done", always=True)
    return found


def _subject(spec: ExplainSpec) -> tuple[Kind, LoadedModel]:
    """Load the model, or an adapter on its base."""
    folder = ModelFolder(spec.model_dir)
    if spec.base_dir is None or not is_adapter(folder):
        return load_subject(spec.model_dir)
    with standing_on(spec.base_dir):
        kind = adapted_kind(folder) or kind_of(ModelFolder(spec.base_dir))
        return kind, load_model(spec.model_dir, heads=kind.heads, device="cpu")


def _chosen(kind: str, model: LoadedModel, asked: Asked, spec: ExplainSpec) -> tuple[Score, dict[str, Any]]:
    """Return the number that is explained, and the answer that it belongs to."""
    with torch.inference_mode():
        said = model.model(**asked.inputs)
    if kind != "question-answering":
        return _of_a_label(kind, model, asked, spec, said)
    start, end = _span(said, asked)
    inside = set(range(start, end + 1))
    words = [word for word in asked.words if word.field == "context" and inside & set(word.tokens)]
    first, last = words[0].start, words[-1].end
    answer = {"answer": {"text": asked.texts["context"][first:last], "start": first, "end": last}}
    return lambda output: output.start_logits[:, start] + output.end_logits[:, end], answer


def _of_a_label(
    kind: str, model: LoadedModel, asked: Asked, spec: ExplainSpec, said: Any
) -> tuple[Score, dict[str, Any]]:
    labels = model.config.labels
    place: int | None = None
    tags: dict[str, Any] = {}
    if kind == "token-classification":
        place, tags = _tagged(said, asked, spec, labels)
    logits = said.logits[0] if place is None else said.logits[0, place]  # (labels,)
    if spec.target is not None and spec.target not in labels:
        raise EngineError("bad_spec", f"target must be one of: {', '.join(labels)[:500]}")
    own = int(logits.argmax())
    target = own if spec.target is None else labels.index(spec.target)
    if len(labels) == 1:
        answer: dict[str, Any] = {"answer": {"value": round(float(logits[0]), DIGITS)}, "target": labels[0]}
    else:
        scores = torch.softmax(logits.double(), dim=-1).tolist()
        answer = {
            "answer": {"label": labels[own], "probability": round(scores[own], DIGITS)},
            "target": labels[target],
            **tags,
        }
    if place is None:
        return lambda output: output.logits[:, target], answer
    return lambda output: output.logits[:, place, target], answer


def _tagged(said: Any, asked: Asked, spec: ExplainSpec, labels: list[str]) -> tuple[int, dict[str, Any]]:
    """Return the token of the word that is explained, with its number and the tag of every word that is read."""
    numbers = [word.number for word in asked.words]
    likely = torch.softmax(said.logits[0, [word.tokens[0] for word in asked.words]].double(), dim=-1)  # (words, labels)
    shares, winners = (part.tolist() for part in likely.max(dim=-1))
    named = [at for at, winner in enumerate(winners) if labels[winner] != OUTSIDE]
    surest = max(named or range(len(numbers)), key=lambda at: (shares[at], -at))
    require(spec.word is None or spec.word in numbers, "the word lies behind what the model reads")
    chosen = surest if spec.word is None else numbers.index(spec.word)
    tags = [
        {"number": number, "label": labels[winner], "probability": round(share, DIGITS)}
        for number, winner, share in zip(numbers, winners, shares, strict=True)
    ]
    return asked.words[chosen].tokens[0], {"word": numbers[chosen], "tags": tags}


def _span(said: Any, asked: Asked) -> tuple[int, int]:
    """Return the tokens that the answer begins and ends with: the best pair of the passage."""
    inside = sorted({place for word in asked.words if word.field == "context" for place in word.tokens})
    if not inside:
        raise EngineError("bad_spec", "The question leaves no room for the passage; ask a shorter one.")
    starts, ends = said.start_logits[0], said.end_logits[0]
    pairs = (
        (float(starts[first] + ends[last]), -first, -last)
        for number, first in enumerate(inside)
        for last in inside[number : number + MAX_ANSWER]
    )
    _best, first, last = max(pairs)
    return -first, -last


def _check(weighed: Weighed) -> None:
    if not all(math.isfinite(number) for number in (*weighed.weights, weighed.score)):
        raise EngineError("non_finite_scores", "The model answers NaN or infinity; its weights are damaged.")
