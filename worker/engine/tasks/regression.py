"""A text, or a pair, to a number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.contracts import EngineError
from worker.engine.measures.correlation import Spearman, pearson
from worker.engine.records import Record
from worker.engine.tasks.heads import HeadTask
from worker.engine.tasks.numeric import LARGEST, ROW_BYTES, TOLERANCE, is_number, parts_of
from worker.engine.tasks.task import Array, Measure, Measured, Role, Value, bad_gold, refused

SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class RegressionSettings:
    """Nothing can be chosen."""


class TextRegression(HeadTask[RegressionSettings]):
    """One output, taken as it is."""

    name = "text-regression"
    roles = {"input": Role(default="text"), "input2": Role(required=False), "target": Role(default="score")}
    settings_type = RegressionSettings
    heads = ("ForSequenceClassification",)
    problem_types = ("regression",)
    measures = (
        Measure("spearman", "corpus", plain=True, tolerance=TOLERANCE),
        Measure("pearson", "corpus", plain=True, tolerance=TOLERANCE),
        Measure("mse", "mean", lower_is_better=True, plain=True, tolerance=TOLERANCE),
        Measure("mae", "mean", lower_is_better=True, plain=True, tolerance=TOLERANCE),
    )
    default_primary = "spearman"

    def read(self, record: Record, settings: RegressionSettings) -> tuple[Value, Value]:
        """Return the text, the second one where there is one, and the number."""
        question = {"text": record.text("input")}
        if "input2" in record.columns:
            question["text2"] = record.text("input2")
        value = record.real("target")
        if abs(value) > LARGEST:
            raise record.bad("target", f"must be a number of at most {LARGEST:g}")
        return question, {"value": value}

    def fit(self, own: list[str], settings: RegressionSettings) -> list[int]:
        """Return the only output."""
        if len(own) != 1:
            raise EngineError(
                "label_mismatch",
                f"The model has {len(own)} outputs, but a regression has one. Train it with num_labels=1.",
            )
        return [0]

    def reading(self, own: Sequence[str], positions: Sequence[int], settings: RegressionSettings) -> dict[str, str]:
        """Return nothing: there is one output and one way to read it."""
        return {}

    def answers(self, logits: Array, positions: Sequence[int], settings: RegressionSettings) -> list[Value]:
        """Return the number for each row."""
        return [{"value": _rounded(value)} for value in logits[:, positions[0]].tolist()]

    def check_gold(self, value: Value, settings: RegressionSettings) -> Value:
        """Return the right number."""
        if set(value) != {"value"} or not is_number(value["value"]):
            raise bad_gold("it has no number")
        return {"value": float(value["value"])}

    def max_row_bytes(self, settings: RegressionSettings) -> int:
        """Return the room for one number."""
        return ROW_BYTES

    def check(self, value: Value, gold: Value, settings: RegressionSettings) -> Value:
        """Return the number, rounded as the digest needs it."""
        if set(value) != {"value"}:
            raise refused("must have exactly id and value")
        if not is_number(value["value"]):
            raise refused(f"has a value that is not a number of at most {LARGEST:g}")
        return {"value": _rounded(float(value["value"]))}

    def digest_part(self, prediction: Value) -> str:
        """Return the number to six digits: it is the answer itself, so it cannot be left out."""
        return f"{prediction['value']:.{SIGNIFICANT_DIGITS}g}"

    def pretend(self, numbers: Iterator[float], question: Value, settings: RegressionSettings) -> Value:
        """Return a number from 0 to 5."""
        return {"value": _rounded(5 * next(numbers))}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: RegressionSettings) -> Measured:
        """Return how the numbers follow the reference and how far off they are."""
        gold = np.array([row["value"] for row in golds], dtype=np.float64)
        predicted = np.array([row["value"] for row in predictions], dtype=np.float64)
        off = predicted - gold
        flat = {"spearman": 0.0, "pearson": 0.0}
        middle = {"mse": float(gold.var()), "mae": float(np.abs(gold - np.median(gold)).mean())}
        return Measured(
            items={"mse": off**2, "mae": np.abs(off)},
            corpus={"spearman": Spearman(gold, predicted), "pearson": pearson(gold, predicted)},
            details={"by_value": _by_value(gold, predicted)},
            # The best that one number for every example can do: the mean for the square, the median for the distance.
            floors={"constant": {"metrics": flat | middle}},
        )


def _by_value(gold: Array, predicted: Array) -> list[dict[str, Any]]:
    """Return the mean answer over equally wide parts of the reference; no single example can be read off it."""
    return [
        {
            "low": low,
            "high": high,
            "n": int(inside.sum()),
            "gold": float(gold[inside].mean()),
            "predicted": float(predicted[inside].mean()),
            "mae": float(np.abs(predicted[inside] - gold[inside]).mean()),
        }
        for low, high, inside in parts_of(gold)
    ]


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
