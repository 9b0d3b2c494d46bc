"""What tasks share whose answer is one of several labels with a probability for each. Imports no torch."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from worker.engine.contracts import check_labels
from worker.engine.measures import classes, curves
from worker.engine.tasks.task import Array, Measure, Measured, Value, bad_gold, refused

# Six digits each: what rounding may move one probability by, with room for the last float digit.
ROUNDING = 1e-6
ROW_OVERHEAD_BYTES = 4096
PRETENDED = 0.9

MEASURES = (
    Measure("accuracy", "proportion"),
    Measure("precision_macro", "corpus", of_all_classes=True),
    Measure("recall_macro", "corpus", of_all_classes=True),
    Measure("f1_macro", "corpus", of_all_classes=True),
    Measure("precision_weighted", "corpus", of_all_classes=True),
    # Accuracy by another name, so it gets the same interval.
    Measure("recall_weighted", "proportion"),
    Measure("f1_weighted", "corpus", of_all_classes=True),
    Measure("mcc", "corpus", plain=True, of_all_classes=True),
    # A probability on the border of a bin moves it by a whole example.
    Measure("ece", "value", lower_is_better=True, plain=True, tolerance=1e-3),
    Measure("log_loss", "mean", lower_is_better=True, plain=True, tolerance=1e-4),
)


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """The labels of a benchmark, and which label of the model leads to which of them."""

    labels: list[str]
    # Several labels of a model may lead to the same one.
    label_map: dict[str, str] | None = field(default=None)

    def __post_init__(self) -> None:
        check_labels(self.labels)


def check_gold(value: Value, settings: LabelSettings) -> Value:
    """Return the right label, known."""
    if set(value) != {"label"} or value["label"] not in settings.labels:
        raise bad_gold("it has no known label")
    return value


def max_row_bytes(settings: LabelSettings) -> int:
    """Return the room for one score a label: an escaped character takes 12 bytes at most, a probability 32."""
    return 12 * sum(map(len, settings.labels)) + 32 * len(settings.labels) + ROW_OVERHEAD_BYTES


def check(value: Value, settings: LabelSettings) -> Value:
    """Return {"label", "scores"} with one proper probability for each label, the best one chosen."""
    if set(value) != {"label", "scores"}:
        raise refused("must have exactly id, label and scores")
    label = value["label"]
    if not isinstance(label, str) or label not in settings.labels:
        raise refused("has a label that the benchmark does not know")
    scores = checked_scores(value["scores"], settings.labels)
    if abs(sum(scores.values()) - 1) > ROUNDING * max(10, len(scores)):
        raise refused("has scores that do not add up to 1")
    if scores[label] < max(scores.values()) - ROUNDING:
        raise refused("has a label that is not the one with the highest score")
    return {"label": label, "scores": scores}


def checked_scores(value: Any, labels: Sequence[str]) -> dict[str, float]:
    """Return a number from 0 to 1 for each label, in the order of the labels."""
    if not isinstance(value, dict) or set(value) != set(labels):
        raise refused("must have one score for each label")
    for score in value.values():
        # bool passes isinstance(..., int), and 1e999 parses to infinity without being a named constant.
        if type(score) not in (int, float) or not math.isfinite(score) or not 0 <= score <= 1:
            raise refused("has a score that is not a number from 0 to 1")
    return {label: float(value[label]) for label in labels}


def pretend(numbers: Iterator[float], settings: LabelSettings) -> Value:
    """Return one of the labels with most of the probability."""
    labels = settings.labels
    winner = labels[int(next(numbers) * len(labels))]
    rest = (1 - PRETENDED) / (len(labels) - 1)
    scores = {label: round(PRETENDED if label == winner else rest, 6) for label in labels}
    return {"label": winner, "scores": scores}


def measure(golds: Sequence[Value], predictions: Sequence[Value], settings: LabelSettings) -> Measured:
    """Return the measures of a classifier with what its page shows: classes, confusion and calibration."""
    labels = settings.labels
    index = {label: position for position, label in enumerate(labels)}
    gold = np.array([index[row["label"]] for row in golds], dtype=np.intp)
    predicted = np.array([index[row["label"]] for row in predictions], dtype=np.intp)
    scores = _probabilities(predictions, labels)
    table = classes.Confusion(gold, predicted, len(labels))
    right = (gold == predicted).astype(np.float64)
    winner, constant = classes.majority(table.margins["support"])
    return Measured(
        items={"accuracy": right, "recall_weighted": right, "log_loss": classes.log_losses(scores, gold)},
        corpus={name: table.statistic(name) for name in classes.CORPUS_METRICS},
        values={"ece": classes.calibration_error(scores, predicted, gold)},
        details={
            "per_class": per_class(table.margins, labels),
            "confusion": {"labels": labels, "rows": table.counts.tolist()},
            "calibration": classes.calibration_bins(scores, predicted, gold),
            "curves": curves.of_labels(scores, gold[:, None] == np.arange(len(labels)), labels),
        },
        floors={
            "majority": {"label": labels[winner], "metrics": constant},
            "chance": {"metrics": classes.chance(table.margins["support"])},
        },
    )


def per_class(margins: classes.Margins, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return precision, recall and F1 of each label with how often it is right and how often it is given."""
    precision, recall, f1 = classes.per_class(margins)
    return [
        {
            "label": label,
            "precision": float(precision[position]),
            "recall": float(recall[position]),
            "f1": float(f1[position]),
            "support": int(margins["support"][position]),
            "predicted": int(margins["predicted"][position]),
        }
        for position, label in enumerate(labels)
    ]


def _probabilities(predictions: Sequence[Value], labels: Sequence[str]) -> Array:
    scores = np.array([[row["scores"][label] for label in labels] for row in predictions], dtype=np.float64)
    # Six digits each do not quite add up to one.
    normalised: Array = scores / scores.sum(axis=1, keepdims=True)
    return normalised
