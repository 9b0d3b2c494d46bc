"""From what a worker found to the stored score: the only way in for a number."""

import math
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from leaderboard import best_scores
from leaderboard.models import Benchmark, Evaluation, Reproduction
from models_hub.models import Blob
from portal.errors import InvalidInput
from portal.models import Event, Job

MAX_TEXT = 200
MAX_ITEMS = 1100  # a label map may name each of a thousand labels
MAX_DEPTH = 3
LEAST_WITHHELD = 5  # rows of a part that is shown of a withheld test


class BadScores(InvalidInput):
    """The scorer's result is not what this portal stores."""

    code = "bad_scores"


def spec_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return the engine's settings that belong to the evaluation, whoever runs it and wherever."""
    benchmark = evaluation.benchmark
    return {
        "settings": benchmark.engine_settings,
        "max_length": benchmark.max_length,
        "seed": evaluation.seed,
        "dtype": evaluation.dtype,
    }


def record(
    evaluation: Evaluation,
    *,
    job: Job,
    scores: dict[str, Any],
    report: dict[str, Any],
    provenance: dict[str, Any],
    predictions: Blob,
    items: Blob | None = None,
) -> None:
    """Store a score and end its job, both or neither: LeaseLost when the job is no longer the caller's."""
    primary = _metric(scores.get("primary"), needs_interval=True)
    report = _bounded(report)
    changes = {
        "n": scores["n"],
        "value": primary["value"],
        "low": primary["low"],
        "high": primary["high"],
        "metrics": {name: _metric(metric) for name, metric in scores["metrics"].items()},
        "per_class": scores["per_class"],
        "confusion": scores["confusion"],
        "details": _tellable(scores.get("details", {}), evaluation.benchmark),
        "floors": scores["floors"],
        "relative_drop": _relative_drop(scores),
        "prediction_digest": scores["prediction_digest"],
        "device": str(report.get("device", ""))[:120],
        "threads": _count(report.get("threads")),
        "truncated": _count(report.get("truncated_rows")),
        "versions": report.pop("versions", {}),
        "report": report,
        "provenance": provenance,
        "predictions": predictions,
        "items": items,
    }
    with transaction.atomic():
        job.finish({"url": evaluation.get_absolute_url(), "value": primary["value"]})
        Evaluation.objects.filter(pk=evaluation.pk).update(finished_at=Now(), **changes)
        best_scores.tell([evaluation.model_id])
        Event.record(
            "evaluation.completed",
            subject=f"evaluation:{evaluation.pk}",
            by=evaluation.requested_by,
            model=evaluation.model_id,
            benchmark=evaluation.benchmark_id,
            value=primary["value"],
        )


def _tellable(details: Any, benchmark: Benchmark) -> Any:
    """Return the details; of a withheld test without curves, whose points are rows, and without parts so small that
    they tell which rows were right.
    """
    if benchmark.test_is_public:
        return details
    if isinstance(details, dict):
        return {key: _tellable(value, benchmark) for key, value in details.items() if key != "curves"}
    if isinstance(details, list):
        return [_tellable(item, benchmark) for item in details if not _is_small(item)]
    return details


def _is_small(part: Any) -> bool:
    return isinstance(part, dict) and type(part.get("n")) is int and part["n"] < LEAST_WITHHELD


def record_again(run: Reproduction, *, job: Job, scores: dict[str, Any], report: dict[str, Any], worker: str) -> None:
    """Store what another run found and end its job. The score stays as it is, whatever that was."""
    primary = _metric(scores.get("primary"), needs_interval=True)
    report = _bounded(report)
    with transaction.atomic():
        job.finish({"url": run.evaluation.get_absolute_url(), "value": primary["value"]})
        Reproduction.objects.filter(pk=run.pk).update(
            finished_at=Now(),
            value=primary["value"],
            metrics={name: _metric(metric) for name, metric in scores["metrics"].items()},
            prediction_digest=scores["prediction_digest"],
            worker=worker[:120],
            device=str(report.get("device", ""))[:120],
            device_name=str(report.get("device_name", ""))[:200],
            threads=_count(report.get("threads")),
            versions=report.get("versions", {}),
        )
        Event.record(
            "evaluation.reproduced",
            subject=f"evaluation:{run.evaluation_id}",
            by=run.requested_by,
            same=scores["prediction_digest"] == run.evaluation.prediction_digest,
            value=primary["value"],
        )


def _metric(value: Any, *, needs_interval: bool = False) -> dict[str, Any]:
    """Return a metric's numbers, each of them finite: NaN would sort above every score."""
    wanted = ("value", "low", "high") if needs_interval else ("value",)
    given = value if isinstance(value, dict) else {}
    found = {name: given[name] for name in ("value", "low", "high") if given.get(name) is not None}
    if any(name not in found for name in wanted) or not all(_is_number(number) for number in found.values()):
        raise BadScores(_("The scorer gave no proper number; the score is not stored."))
    method = {"method": given["method"][:40]} if isinstance(given.get("method"), str) else {}
    return {name: float(number) for name, number in found.items()} | method


def _relative_drop(scores: dict[str, Any]) -> float | None:
    found = (scores.get("details") or {}).get("robustness") or {}
    value: Any = found.get("relative_drop")
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _bounded(value: Any, depth: int = 0) -> Any:
    """Return a report with long texts cut and what is not plain data left out: the model's process wrote it."""
    if isinstance(value, dict) and depth < MAX_DEPTH:
        items = list(value.items())[:MAX_ITEMS]
        return {key[:MAX_TEXT]: _bounded(item, depth + 1) for key, item in items}
    if isinstance(value, list) and depth < MAX_DEPTH:
        return [_bounded(item, depth + 1) for item in value[:MAX_ITEMS]]
    if isinstance(value, str):
        return value[:MAX_TEXT]
    return value if isinstance(value, bool) or value is None or _is_number(value) else None
