"""Predictions and reference labels to a score with its interval, outside the sandbox. Imports no torch."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engine.contracts import ENGINE_VERSION, EngineError, ScoreSpec, require
from worker.engine.decoding import parse_json
from worker.engine.metrics import (
    CONFUSION_METRICS,
    Margins,
    bootstrap,
    calibration_error,
    chance,
    confusion_matrix,
    log_loss,
    majority,
    margins_of,
    measures,
    per_class,
    wilson,
)
from worker.engine.predictions import Prediction, digest_of, read_predictions


def score(spec: ScoreSpec) -> dict[str, Any]:
    """Compare predictions with the reference, write the result to spec.out and return it."""
    require(spec.primary in CONFUSION_METRICS, f"primary must be one of: {', '.join(CONFUSION_METRICS)}")
    answers = read_gold(Path(spec.gold), spec.labels)
    predictions = read_predictions(Path(spec.predictions), list(answers), spec.labels)
    index = {label: position for position, label in enumerate(spec.labels)}
    gold = np.array([index[label] for label in answers.values()], dtype=np.intp)
    predicted = np.array([index[row.label] for row in predictions], dtype=np.intp)
    confusion = confusion_matrix(gold, predicted, len(spec.labels))
    margins = margins_of(confusion)
    metrics = _with_intervals(confusion, margins, spec)
    scores = _probabilities(predictions, spec.labels)
    metrics["ece"] = {"value": calibration_error(scores, predicted, gold)}
    metrics["log_loss"] = {"value": log_loss(scores, gold)}
    result = {
        "engine_version": ENGINE_VERSION,
        "n": len(answers),
        "primary": {"name": spec.primary, **metrics[spec.primary]},
        "metrics": metrics,
        "per_class": _classes(margins, spec.labels),
        "confusion": {"labels": spec.labels, "rows": confusion.tolist()},
        "floors": _floors(margins, spec.labels),
        "bootstrap": {"draws": spec.bootstrap, "seed": spec.seed, "level": 0.95, "method": "percentile"},
        "prediction_digest": digest_of(predictions),
    }
    _write(Path(spec.out), result)
    return result


def read_gold(path: Path, labels: list[str]) -> dict[str, str]:
    """Read the gold.jsonl that `prepare` wrote: id to label, in the order of the benchmark."""
    answers: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                row = parse_json(line)
                if not isinstance(row, dict) or not isinstance(row.get("id"), str) or row.get("label") not in labels:
                    raise EngineError("bad_gold", f"row {number} of the reference has no id or no known label")
                if row["id"] in answers:
                    raise EngineError("bad_gold", f"row {number} of the reference repeats an id")
                answers[row["id"]] = row["label"]
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError("bad_gold", f"the reference labels cannot be read: {str(error)[:200]}") from error
    if not answers:
        raise EngineError("bad_gold", "the reference has no rows")
    return answers


def _with_intervals(confusion: npt.NDArray[np.int64], margins: Margins, spec: ScoreSpec) -> dict[str, dict[str, float]]:
    intervals = bootstrap(confusion, draws=spec.bootstrap, seed=spec.seed)
    intervals["accuracy"] = wilson(int(margins["hits"].sum()), int(margins["support"].sum()))
    # Weighted recall is accuracy by another name and gets the same interval.
    intervals["recall_weighted"] = intervals["accuracy"]
    return {
        name: {"value": float(value), "low": intervals[name][0], "high": intervals[name][1]}
        for name, value in measures(margins).items()
    }


def _probabilities(predictions: list[Prediction], labels: list[str]) -> npt.NDArray[np.float64]:
    scores = np.array([[row.scores[label] for label in labels] for row in predictions], dtype=np.float64)
    # Six digits each do not quite add up to one.
    normalised: npt.NDArray[np.float64] = scores / scores.sum(axis=1, keepdims=True)
    return normalised


def _classes(margins: Margins, labels: list[str]) -> list[dict[str, Any]]:
    precision, recall, f1 = per_class(margins)
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


def _floors(margins: Margins, labels: list[str]) -> dict[str, Any]:
    winner, constant = majority(margins["support"])
    return {
        "majority": {"label": labels[winner], "metrics": constant},
        "chance": {"metrics": chance(margins["support"])},
    }


def _write(path: Path, result: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(result, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, path)
