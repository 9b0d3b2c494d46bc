"""The rows of boards: what each model reached, made from evaluations beforehand, so that a board is only read.

A model counts with its latest result of each benchmark, of its current weights if there is one: the latest and not
the best, for picking the best of several runs would reward asking often. A board that has ended counts the scores
that were asked for until then.

A two-level bootstrap draws benchmarks anew within their kind of task, and examples within each benchmark. The draws
come from seeds, so that every model sees the same ones and a row can be made alone when one model changes.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from leaderboard.models import (
    LEVEL_BITS,
    BoardRow,
    BoardRowQuerySet,
    BoardState,
    Evaluation,
    EvaluationQuerySet,
    Reproduction,
    StaleRow,
    Suite,
    SuiteEntry,
)
from leaderboard.models.board_rows import MIXED
from leaderboard.normalising import floor_among, normalised
from leaderboard.task_kinds import best_of
from models_hub import contents
from models_hub.models import Blob
from worker.engine.statistics import boards
from worker.engine.statistics.boards import Plan
from worker.engine.statistics.ranking import TaskScores
from worker.engine.statistics.resampling import Array, Whole

SEED = 0
AT_ONCE = 64  # models
MOST_ITEMS = 1_000_000  # numbers of one benchmark that are held at a time
MAX_BYTES = 32_000_000  # of one file of numbers
# How many draws are kept of each model, the fewer the more models there are.
DRAWS = ((500, 2000), (2000, 500))
FEWEST_DRAWS = 200
WRITTEN = (
    "cells", "drawn", "score", "low", "high", "evaluations", "lacking", "levels", "is_outdated", "is_verified",
    "precision", "finished_at", "relative_drop", "ece", "latencies", "memory_bytes",
)  # fmt: skip
_SMALL = (
    "id", "model_id", "benchmark_id", "value", "low", "high", "floors", "contamination", "weights_digest",
    "head_weights", "dtype", "finished_at", "relative_drop", "report", "metrics", "threads", "device", "items_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What a row takes from one evaluation."""

    evaluation: int
    value: float  # normalised, as are the ends
    low: float
    high: float
    floor: float
    items: int | None
    level: str
    is_outdated: bool
    dtype: str
    finished_at: datetime
    relative_drop: float | None
    ece: float | None
    machine: str
    latency: float | None
    memory: int | None


Results = dict[int, Result]  # by benchmark


def renew(suite: Suite, models: Collection[int] | None = None, *, check: Callable[[], None] = lambda: None) -> None:
    """Write the rows of a board anew, or those of these models where the others still stand; repeating does no harm."""
    began = timezone.now()
    state, _made = BoardState.objects.get_or_create(suite=suite)
    columns = columns_of(suite)
    ids = [column.benchmark_id for column in columns]
    rest = BoardRow.objects.filter(suite=suite)
    if models is not None and state.columns == ids and state.draws == draws_for(rest.count()):
        wanted, draws = _models(suite, ids, models), state.draws
        rest = rest.filter(model__in=models)
    else:
        wanted, models = _models(suite, ids), None
        draws = draws_for(len(wanted))
    plan = plan_of(columns, draws)
    rows: list[BoardRow] = []
    for some in _portions(wanted):
        check()
        rows += _rows(suite, columns, plan, some)
    # All at once, for rows of other columns or draws say nothing together.
    with transaction.atomic():
        _replace(rest, rows)
        StaleRow.objects.filter(state=state, marked_at__lte=began).delete()
        BoardState.objects.filter(pk=state.pk).update(
            columns=ids, draws=draws, machines=_machines(suite), renewed_at=timezone.now()
        )
        settled = BoardState.objects.filter(pk=state.pk, stale_at__lte=began)
        settled.update(stale_at=None, **({"whole": False} if models is None else {}))


def _replace(rest: BoardRowQuerySet, rows: Sequence[BoardRow]) -> None:
    """Put rows in the place of others; that of the same model stays, since somebody may just be reading it."""
    gone = list(set(rest.values_list("model", flat=True)) - {row.model_id for row in rows})
    for some in _portions(gone):
        rest.filter(model__in=some).delete()
    BoardRow.objects.bulk_create(
        rows, batch_size=AT_ONCE, update_conflicts=True, update_fields=WRITTEN, unique_fields=("suite", "model")
    )


def renew_stale(check: Callable[[], None] = lambda: None) -> int:
    """Renew the boards that were marked as stale; return how many."""
    stale = list(BoardState.objects.stale().select_related("suite"))
    for state in stale:
        check()
        renew(state.suite, None if state.whole else _stale_models(state), check=check)
    return len(stale)


def columns_of(suite: Suite) -> list[SuiteEntry]:
    """Return the benchmarks of a board that anybody may see, in their order."""
    entries = suite.entries.filter(benchmark__dataset__private=False)
    return list(entries.select_related("benchmark__dataset__namespace"))


def draws_for(models: int) -> int:
    """Return how many draws are kept of each model of a board of so many."""
    return next((draws for most, draws in DRAWS if models <= most), FEWEST_DRAWS)


def plan_of(columns: Sequence[SuiteEntry], draws: int) -> Plan:
    """Return the draws of benchmarks: within their kind of task, since other kinds ask for something else."""
    categories = [column.benchmark.task for column in columns]
    return boards.plan_of(categories, [column.weight for column in columns], draws=draws, seed=SEED)


def _portions(models: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(models), AT_ONCE):
        yield models[start : start + AT_ONCE]


def _stale_models(state: BoardState) -> list[int]:
    return list(state.stale_rows.values_list("model", flat=True))


def _finished(suite: Suite, benchmarks: Sequence[int]) -> EvaluationQuerySet:
    finished = Evaluation.objects.public().finished().filter(benchmark__in=benchmarks)
    return finished if suite.ends_at is None else finished.filter(created_at__lte=suite.ends_at)


def _models(suite: Suite, benchmarks: Sequence[int], among: Collection[int] | None = None) -> list[int]:
    found = _finished(suite, benchmarks).order_by()
    found = found if among is None else found.filter(model__in=among)
    return sorted(found.values_list("model", flat=True).distinct())


def _rows(suite: Suite, columns: Sequence[SuiteEntry], plan: Plan, models: Sequence[int]) -> list[BoardRow]:
    found = _results(suite, columns, models)
    ranked = [model for model, results in found.items() if len(results) == len(columns)]
    drawn = _drawn(columns, plan, {model: found[model] for model in ranked})
    low, high = boards.middle(drawn)
    weights = plan.weights / plan.weights.sum()
    made = {}
    for place, model in enumerate(ranked):
        score = float(sum(weights * [found[model][column.benchmark_id].value for column in columns]))
        made[model] = {
            "score": score, "low": min(score, float(low[place])), "high": max(score, float(high[place])),
            "drawn": drawn[place].astype("<f4").tobytes(),
        }  # fmt: skip
    verified = _verified(result.evaluation for results in found.values() for result in results.values())
    return [
        BoardRow(suite=suite, model_id=model, **_facts(columns, results, verified), **made.get(model, {}))
        for model, results in found.items()
    ]


def _facts(columns: Sequence[SuiteEntry], results: Results, verified: set[int]) -> dict[str, Any]:
    """Return what a row says beside its score."""
    row = [results.get(column.benchmark_id) for column in columns]
    given = list(results.values())
    dtypes = {result.dtype for result in given}
    drops = [result.relative_drop for result in given if result.relative_drop is not None]
    errors = [result.ece for result in given if result.ece is not None]
    measured = defaultdict(list)
    for result in given:
        if result.latency is not None:
            measured[result.machine].append(result.latency)
    return {
        "cells": np.array([np.nan if one is None else one.value for one in row], dtype="<f8").tobytes(),
        "evaluations": [one and one.evaluation for one in row],
        "lacking": len(row) - len(given),
        "levels": sum(LEVEL_BITS[level] for level in {result.level for result in given}),
        "is_outdated": any(result.is_outdated for result in given),
        "is_verified": all(result.evaluation in verified for result in given),
        "precision": dtypes.pop() if len(dtypes) == 1 else MIXED,
        "finished_at": max(result.finished_at for result in given),
        "relative_drop": fmean(drops) if drops else None,
        "ece": fmean(errors) if errors else None,
        "latencies": {machine: median(found) for machine, found in measured.items()},
        "memory_bytes": max((result.memory for result in given if result.memory is not None), default=None),
    }


def _results(suite: Suite, columns: Sequence[SuiteEntry], models: Sequence[int]) -> dict[int, Results]:
    """Return what counts of each model, by benchmark."""
    metrics = {column.benchmark_id: column.benchmark.primary_metric for column in columns}
    of_current_weights = Max("id", filter=Q(weights_digest=F("head_weights")))
    chosen = (
        _finished(suite, list(metrics))
        .filter(model__in=models)
        .with_head_weights()
        .values("model_id", "benchmark_id")
        .annotate(chosen=Coalesce(of_current_weights, Max("id")))
        .values("chosen")
    )
    rows = Evaluation.objects.filter(pk__in=chosen).with_head_weights().order_by("model_id", "id").values(*_SMALL)
    found: dict[int, Results] = defaultdict(dict)
    for row in rows.iterator(chunk_size=500):
        found[row["model_id"]][row["benchmark_id"]] = _result(row, metrics[row["benchmark_id"]])
    return found


def _result(row: dict[str, Any], metric: str) -> Result:
    floor = floor_among(row["floors"], metric)
    value, low, high = (row["value"] if row[name] is None else row[name] for name in ("value", "low", "high"))
    # Where lower is better, the upper end of the interval is the worse one.
    ends = sorted(normalised(end, floor, metric) for end in (low, high))
    report, ece = row["report"], row["metrics"].get("ece")
    latency = (report.get("latency") or {}).get("p50_ms")
    memory = report.get("peak_device_bytes") or report.get("peak_rss_bytes")
    return Result(
        evaluation=row["id"],
        value=normalised(value, floor, metric),
        low=ends[0],
        high=ends[1],
        floor=floor,
        items=row["items_id"],
        level=row["contamination"],
        is_outdated=row["head_weights"] != row["weights_digest"],
        dtype=row["dtype"],
        finished_at=row["finished_at"],
        relative_drop=row["relative_drop"],
        ece=ece.get("value") if isinstance(ece, dict) else None,
        machine=machine_of(report, row["device"], row["threads"]),
        # A machine that was busy with something else tells nothing of the model.
        latency=float(latency) if isinstance(latency, int | float) and not report.get("busy") else None,
        memory=memory if isinstance(memory, int) else None,
    )


def machine_of(report: dict[str, Any], device: str, threads: int | None) -> str:
    """Return the name of a machine as boards list it: “A processor ×2” with two threads."""
    name = str(report.get("device_name") or report.get("cpu_name") or device)[:80]
    return f"{name} ×{threads}" if threads and device == "cpu" else name


def _verified(evaluations: Iterable[int]) -> set[int]:
    same = Reproduction.objects.finished().filter(prediction_digest=F("evaluation__prediction_digest"))
    return set(same.filter(evaluation__in=list(evaluations)).values_list("evaluation", flat=True))


def _drawn(columns: Sequence[SuiteEntry], plan: Plan, found: dict[int, Results]) -> boards.Single:
    """Return the mean of each model in each draw (models, draws)."""
    by_task = np.zeros((len(columns), len(found), plan.draws), dtype=np.float32)
    for number, column in enumerate(columns):
        results = {model: found[model][column.benchmark_id] for model in found}
        places = {model: place for place, model in enumerate(results)}
        for model, result in results.items():
            by_task[number, places[model]] = boards.drawn_interval(
                plan, number, model, result.value, result.low, result.high
            )
        for some, task in _with_items(column, results):
            by_task[number, [places[model] for model in some]] = boards.drawn_items(plan, number, task).T
    return boards.mean_in_draws(plan, by_task)


def _with_items(column: SuiteEntry, results: dict[int, Result]) -> Iterator[tuple[list[int], TaskScores]]:
    """Yield models with numbers for each example of the main metric, as many as may be held at a time."""
    metric = column.benchmark.primary_metric
    blobs = Blob.objects.in_bulk([result.items for result in results.values() if result.items is not None])
    held: list[tuple[int, Array, float]] = []
    clusters: Whole | None = None
    for model, result in results.items():
        read = _items(blobs[result.items], metric) if result.items in blobs else None
        if read is None:
            continue
        values, of = read
        if held and (not _belong_together(held[0][1], clusters, values, of) or len(held) * len(values) > MOST_ITEMS):
            yield _task(held, clusters, metric)
            held = []
        clusters = of
        held.append((model, values, result.floor))
    if held:
        yield _task(held, clusters, metric)


def _belong_together(one: Array, its: Whole | None, other: Array, of: Whole | None) -> bool:
    return len(one) == len(other) and (its is of if its is None or of is None else np.array_equal(its, of))


def _task(
    held: Sequence[tuple[int, Array, float]], clusters: Whole | None, metric: str
) -> tuple[list[int], TaskScores]:
    """Scale before drawing: floors may differ between models, and the mean of what is scaled is the scaled mean."""
    best = best_of(metric)
    scaled = np.stack([(values - floor) / (best - floor) for _model, values, floor in held])
    return [model for model, _values, _floor in held], TaskScores(scaled.shape[1], scaled, clusters=clusters)


def _items(blob: Blob, metric: str) -> tuple[Array, Whole | None] | None:
    """Return a number for each example, and which examples hang together; None where the metric has none."""
    if blob.size > MAX_BYTES:
        return None
    read = json.loads(b"".join(contents.stream(blob)))
    values = read["metrics"].get(metric)
    if not values:
        return None
    clusters = np.array(read["clusters"], dtype=np.intp) if read.get("clusters") else None
    return np.array(values, dtype=float), clusters


def _machines(suite: Suite) -> list[str]:
    rows = BoardRow.objects.filter(suite=suite).exclude(latencies={}).values_list("latencies", flat=True)
    counted = Counter(machine for latencies in rows.iterator() for machine in latencies)
    return [machine for machine, _count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
