"""How little a model is sure of its answers, from 0 to 1, out of predictions that may be hostile. No torch."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from worker.engine.contracts import EngineError
from worker.engine.tasks.task import Array, Task, Value
from worker.engine.tasks.task import refused as refused_prediction

TAGS = "token-classification"
ORDERS = ("margin", "entropy")


def of_probabilities(probabilities: Array, order: str) -> Array:
    """Return the doubt of each row of probabilities (rows, labels).

    Margin (Scheffer and others, 2001) is how near the second label comes to the first; entropy counts all labels, and
    is one where all are alike.
    """
    if order == "margin":
        best = np.sort(probabilities, axis=1)[:, -2:]
        doubt: Array = 1 - (best[:, 1] - best[:, 0])
        return doubt
    logs = np.log(np.clip(probabilities, 1e-12, 1.0))
    spread: Array = -(probabilities * logs).sum(axis=1) / math.log(probabilities.shape[1])
    return np.clip(spread, 0.0, 1.0)


def doubts_of(task: Task[Any], predictions: Sequence[Value], labels: Sequence[str], order: str) -> Array:
    """Return the doubt of each prediction."""
    if task.name == TAGS:
        # One word in doubt is enough to ask; by entropy the words count alike.
        whole = max if order == "margin" else _mean
        return np.array([whole(prediction[order]) for prediction in predictions])
    scores = np.array([[prediction["scores"][label] for label in labels] for prediction in predictions])
    if task.name != "multi-label-classification":
        return of_probabilities(scores, order)
    # Each label is a decision for itself: (rows * labels, 2).
    each = of_probabilities(np.stack([scores.ravel(), 1 - scores.ravel()], axis=1), order).reshape(scores.shape)
    doubt: Array = each.max(axis=1) if order == "margin" else each.mean(axis=1)
    return doubt


def checked(task: Task[Any], prediction: Value, question: Value, settings: Any) -> Value:
    """Return a prediction whose shape was checked; raises EngineError."""
    if task.name != TAGS:
        return task.check(prediction, {}, settings)
    words = question["tokens"]
    rest = {name: value for name, value in prediction.items() if name not in ORDERS}
    doubts = {name: prediction.get(name) for name in ORDERS}
    for numbers in doubts.values():
        if not isinstance(numbers, list) or len(numbers) != len(words) or not all(map(_is_share, numbers)):
            raise refused_prediction("must say of each word how sure it is")
    return {**task.check(rest, {"tags": words}, settings), **doubts}


def guess_of(prediction: Value) -> Value:
    """Return what is shown of a prediction: the answer, and how likely the model held it where it says so."""
    if "tags" in prediction:
        return {"value": prediction["tags"]}
    if "labels" in prediction:
        return {"value": prediction["labels"], "scores": prediction["scores"]}
    return {"value": prediction["label"], "scores": prediction["scores"]}


def number_of(error: EngineError, number: int) -> EngineError:
    """Return the error with the number of the row."""
    return EngineError("bad_predictions", f"the predictions cannot be used: row {number} {error.message}")


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1
