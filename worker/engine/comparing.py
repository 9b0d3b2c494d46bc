"""Two models' predictions for the same answers: how far they differ, and whether that is more than chance."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from worker.engine.contracts import CompareSpec, require
from worker.engine.predictions import read_predictions
from worker.engine.scoring import read_gold
from worker.engine.statistics import paired
from worker.engine.statistics.paired import Comparison
from worker.engine.tasks import find
from worker.engine.tasks.task import Measure, Measured


def compare(spec: CompareSpec) -> dict[str, Any]:
    """Return {"name", "n", "difference" (after - before), "low", "high", "p", "test"} of the main measure."""
    task = find(spec.task)
    settings = task.settings(spec.settings)
    primary = spec.primary or task.default_primary
    rankable = [measure.name for measure in task.measures if measure.rankable]
    require(primary in rankable, f"primary must be one of: {', '.join(rankable)}")
    golds = read_gold(Path(spec.gold), task, settings)
    after, before = (
        task.measure(list(golds.values()), read_predictions(Path(path), task, golds, settings), settings)
        for path in (spec.after, spec.before)
    )
    found = _compared(task.measure_of(primary), after, before, len(golds), spec)
    return {"name": primary, "n": len(golds), **asdict(found)}


def _compared(measure: Measure, after: Measured, before: Measured, size: int, spec: CompareSpec) -> Comparison:
    name = measure.name
    if measure.kind == "corpus":
        return paired.paired_bootstrap(
            after.corpus[name],
            before.corpus[name],
            size,
            draws=spec.bootstrap,
            seed=spec.seed,
            clusters=after.clusters,
        )
    if measure.kind == "proportion" and after.clusters is None:
        return paired.mcnemar(after.items[name], before.items[name])
    return paired.paired_normal(after.items[name], before.items[name], after.clusters)
