"""What other ways of writing the same questions do to a model, from its answers to both. No torch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from worker.engine.marks import Marks
from worker.engine.perturbing.registry import PERTURBATIONS
from worker.engine.perturbing.summary import Robustness, differing, of_corpus, of_items
from worker.engine.slicing import SMALLEST
from worker.engine.statistics.intervals import percentile
from worker.engine.statistics.resampling import CorpusStatistic, mean_of, resampled
from worker.engine.tasks.task import Array, Measure, Measured, Task, Value

# Answers that are numbers or orders: every change of a text moves them, so that counting flips says nothing.
CONTINUOUS = frozenset({"text-regression", "sentence-similarity", "text-retrieval", "text-ranking"})
DRAWS = 2000


def changed_golds(golds: Sequence[Value], marks: Marks) -> dict[str, Value]:
    """Return the answers that are right for the changed questions, by the ids that those have."""
    rows = [marks.rows[place] for places in marks.changed.values() for place in places]
    return {str(number): golds[row] for number, row in enumerate(rows)}


def robustness(
    task: Task[Any],
    settings: Any,
    *,
    golds: Sequence[Value],
    clean: Sequence[Value],
    perturbed: Sequence[Value],
    marks: Marks,
    primary: str,
    draws: int,
    seed: int,
) -> dict[str, Any]:
    """Return for each perturbation the score, the drop and how many answers changed, and the mean relative drop."""
    measure = task.measure_of(primary)
    golds, clean = [golds[row] for row in marks.rows], [clean[row] for row in marks.rows]
    before = task.measure(golds, clean, settings)
    answers = iter(perturbed)
    rows, losses, counted = [], [], []
    for name, places in marks.changed.items():
        after = list(clean)
        for place in places:
            after[place] = next(answers)
        changed = np.zeros(len(clean))
        changed[places] = 1.0
        flipped = differing([task.digest_part(row) for row in clean], [task.digest_part(row) for row in after])
        measured = task.measure(golds, after, settings)
        found = _compared(measure, before, measured, flipped, changed, min(draws, DRAWS), seed)
        if found is None or not np.isfinite([found.clean, found.perturbed, found.drop.low, found.drop.high]).all():
            continue  # these few rows do not give this number, which says nothing against the score
        if task.name in CONTINUOUS:
            found = replace(found, flips=None)
        rows.append({"name": name, "kind": PERTURBATIONS[name].kind, **found.as_json()})
        if (loss := _relative(measure, found)) is not None:
            losses.append(loss)
            counted.append(_statistic(measure, measured))
    return {
        "metric": primary,
        "rows": len(clean),
        "questions": marks.questions,
        "perturbations": rows,
        "relative_drop": float(np.mean(losses)) if losses else None,
        "relative_drop_interval": _mean_loss(
            measure, before, counted, losses, size=len(clean), draws=min(draws, DRAWS), seed=seed
        ),
    }


def _compared(
    measure: Measure, before: Measured, after: Measured, flipped: Array, changed: Array, draws: int, seed: int
) -> Robustness | None:
    name = measure.name
    if name in before.corpus and name in after.corpus:
        return of_corpus(
            before.corpus[name],
            after.corpus[name],
            flipped=flipped,
            changed=changed,
            draws=draws,
            seed=seed,
            clusters=before.clusters,
        )
    return of_items(before.items[name], after.items[name], flipped=flipped, changed=changed, clusters=before.clusters)


def _statistic(measure: Measure, measured: Measured) -> CorpusStatistic:
    name = measure.name
    return measured.corpus[name] if name in measured.corpus else mean_of(measured.items[name])


def _mean_loss(
    measure: Measure,
    before: Measured,
    after: Sequence[CorpusStatistic],
    losses: Sequence[float],
    *,
    size: int,
    draws: int,
    seed: int,
) -> dict[str, Any] | None:
    """Return the interval of the mean share that is lost: all changes are of the same examples, so drawn together."""
    if not losses or draws < 1:
        return None
    statistics = {"clean": _statistic(measure, before)} | {str(place): one for place, one in enumerate(after)}
    found = resampled(statistics, size, draws=draws, seed=seed, clusters=before.clusters)
    clean = found.pop("clean")
    kept = clean > 0
    if not kept.any():
        return None
    sign = -1 if measure.lower_is_better else 1
    shares = [sign * (clean[kept] - one[kept]) / clean[kept] for one in found.values()]
    interval = percentile(float(np.mean(losses)), np.mean(shares, axis=0))
    if not np.isfinite([interval.low, interval.high]).all():
        return None
    return {"low": interval.low, "high": interval.high, "method": interval.method}


def _relative(measure: Measure, found: Robustness) -> float | None:
    """Return which share of the score is lost; None where too few rows were changed to say so."""
    if found.changed < SMALLEST or found.clean <= 0:
        return None
    return found.drop.difference / found.clean * (-1 if measure.lower_is_better else 1)
