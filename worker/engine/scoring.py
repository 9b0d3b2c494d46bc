"""Predictions and reference answers to a score with its intervals, outside the sandbox. Imports no torch."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from worker.engine import slicing
from worker.engine.contracts import ENGINE_VERSION, EngineError, ScoreSpec, require
from worker.engine.decoding import parse_json
from worker.engine.marks import Marks, read_marks
from worker.engine.predictions import digest_of, read_predictions
from worker.engine.robustness import changed_golds, robustness
from worker.engine.statistics import intervals
from worker.engine.statistics.intervals import Interval
from worker.engine.tasks import find
from worker.engine.tasks.task import Measure, Measured, Task, Value

# Parts of the details that have a place of their own, where pages look for them.
TOP_DETAILS: dict[str, Any] = {"per_class": [], "confusion": {}}


def score(spec: ScoreSpec) -> dict[str, Any]:
    """Compare predictions with the reference, write the result to spec.out and return it."""
    task = find(spec.task)
    settings = task.settings(spec.settings)
    primary = spec.primary or task.default_primary
    rankable = [measure.name for measure in task.measures if measure.rankable]
    require(primary in rankable, f"primary must be one of: {', '.join(rankable)}")
    golds = read_gold(Path(spec.gold), task, settings)
    predictions = read_predictions(Path(spec.predictions), task, golds, settings)
    measured = task.measure(list(golds.values()), predictions, settings)
    metrics = _metrics(task, measured, spec, len(golds), primary)
    details = dict(measured.details)
    if spec.marks:
        marks = read_marks(Path(spec.marks), len(golds))
        details["slices"] = slicing.scores(task, measured, marks, primary=primary, draws=spec.bootstrap, seed=spec.seed)
        if spec.perturbed:
            details["robustness"] = _robustness(task, settings, list(golds.values()), predictions, marks, primary, spec)
    result = {
        "engine_version": ENGINE_VERSION,
        "task": task.name,
        "n": len(golds),
        "primary": {"name": primary, **metrics[primary]},
        "metrics": metrics,
        **{name: details.pop(name, empty) for name, empty in TOP_DETAILS.items()},
        "details": details,
        "floors": measured.floors,
        "bootstrap": {"draws": spec.bootstrap, "seed": spec.seed, "level": 0.95, "method": "percentile"},
        "prediction_digest": digest_of(task, golds, predictions),
    }
    _write(Path(spec.out), result)
    if spec.items:
        _write(Path(spec.items), _items(list(golds), measured))
    return result


def _robustness(
    task: Task[Any],
    settings: Any,
    golds: list[Value],
    clean: list[Value],
    marks: Marks,
    primary: str,
    spec: ScoreSpec,
) -> dict[str, Any]:
    asked = changed_golds(golds, marks)
    perturbed = read_predictions(Path(spec.perturbed or ""), task, asked, settings) if asked else []
    found = robustness(
        task,
        settings,
        golds=golds,
        clean=clean,
        perturbed=perturbed,
        marks=marks,
        primary=primary,
        draws=spec.bootstrap,
        seed=spec.seed,
    )
    return {**found, "digest": digest_of(task, asked, perturbed)}


def read_gold(path: Path, task: Task[Any], settings: Any) -> dict[str, Value]:
    """Read the gold.jsonl that `prepare` wrote: id to answer, in the order of the benchmark."""
    answers: dict[str, Value] = {}
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                identity, value = _answer(line, number)
                if identity in answers:
                    raise EngineError("bad_gold", f"row {number} of the reference repeats an id")
                try:
                    answers[identity] = task.check_gold(value, settings)
                except EngineError as error:
                    raise EngineError("bad_gold", f"row {number} of the reference: {error.message}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError("bad_gold", f"the reference answers cannot be read: {str(error)[:200]}") from error
    if not answers:
        raise EngineError("bad_gold", "the reference has no rows")
    return answers


def _answer(line: str, number: int) -> tuple[str, Value]:
    row = parse_json(line)
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise EngineError("bad_gold", f"row {number} of the reference has no id")
    return row.pop("id"), row


def _metrics(task: Task[Any], measured: Measured, spec: ScoreSpec, n: int, primary: str) -> dict[str, dict[str, Any]]:
    resampled = intervals.bootstrap(
        measured.corpus, n, draws=spec.bootstrap, seed=spec.seed, clusters=measured.clusters
    )
    found = {*measured.items, *measured.corpus, *measured.values}
    left_out = {measure.name for measure in task.measures if measure.optional} - found
    require(primary not in left_out, f"{primary} has no meaning for these answers; name another primary", "bad_gold")
    return {
        measure.name: _metric(measure, measured, resampled) for measure in task.measures if measure.name not in left_out
    }


def _metric(measure: Measure, measured: Measured, resampled: dict[str, Interval]) -> dict[str, Any]:
    name = measure.name
    if measure.kind == "value":
        return {"value": _finite(measured.values[name], name)}
    if measure.kind == "corpus":
        found = resampled[name]
    elif measure.kind == "proportion":
        found = intervals.proportion(measured.items[name], measured.clusters)
    elif measured.clusters is None:
        found = intervals.mean(measured.items[name])
    else:
        found = intervals.clustered(measured.items[name], measured.clusters)
    bounds = {bound: _finite(getattr(found, bound), name) for bound in ("value", "low", "high")}
    if not measure.plain:  # a share: the normal approximation may step over the edge, what is measured cannot
        bounds["low"], bounds["high"] = max(bounds["low"], 0.0), min(bounds["high"], 1.0)
    return {**bounds, "method": found.method}


def _finite(value: float, name: str) -> float:
    if not np.isfinite(value):
        raise EngineError("bad_predictions", f"the predictions give no number for {name}")
    return float(value)


def _items(ids: list[str], measured: Measured) -> dict[str, Any]:
    clusters = {} if measured.clusters is None else {"clusters": measured.clusters.tolist()}
    return {"ids": ids, "metrics": {name: values.tolist() for name, values in measured.items.items()}, **clusters}


def _write(path: Path, result: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(result, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, path)
