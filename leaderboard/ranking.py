"""The board of a suite: who is ahead, by how much, and where the difference is noise.

A score is normalised as 100 · (s - floor) / (best - floor), where the floor is the best that anything reaches which
learned nothing, such as guessing or always giving the most frequent label; it is not clipped, which would give a model
that learned nothing free points. The mean over the weighted benchmarks ranks; a model that lacks one of them is listed
apart, never as a zero. A board that has ended counts the scores that were asked for until then.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce

from leaderboard.models import Benchmark, Contamination, Evaluation, Suite, SuiteEntry
from leaderboard.normalising import floor_of, normalised
from models_hub.models import Repo

MAX_ROWS = 1000

# What a board may leave out: models of which one of these is known for one of its benchmarks.
LEFT_OUT: dict[str, frozenset[str]] = {
    "": frozenset(),
    "not-measured": frozenset({Contamination.MEASURED}),
    "not-declared": frozenset({Contamination.MEASURED, Contamination.DECLARED, Contamination.INHERITED}),
    "not-found": frozenset(set(Contamination) - {Contamination.NOT_FOUND}),
}


@dataclass(frozen=True)
class Cell:
    """One model's result on one benchmark, on the metric's own scale and normalised."""

    evaluation: Evaluation
    floor: float
    normalised: float
    low: float
    high: float

    @property
    def is_outdated(self) -> bool:
        return self.evaluation.is_outdated


@dataclass(frozen=True)
class Row:
    """A model of the board. `best_rank` and `worst_rank` say between which places it may truly stand."""

    model: Repo
    cells: list[Cell | None]  # in the order of the board's columns
    score: float
    low: float
    high: float
    rank: int
    best_rank: int
    worst_rank: int

    @property
    def is_tied(self) -> bool:
        """True when other models cannot be told from this one."""
        return self.best_rank != self.worst_rank

    @property
    def relative_drop(self) -> float | None:
        """The mean share of its scores that is lost when texts are written otherwise; None where nothing was asked."""
        drops = [cell.evaluation.relative_drop for cell in self.cells if cell]
        asked = [drop for drop in drops if drop is not None]
        return math.fsum(asked) / len(asked) if asked else None


@dataclass(frozen=True)
class Unranked:
    """A model that lacks a score, and which benchmarks it lacks."""

    model: Repo
    cells: list[Cell | None]
    missing: list[Benchmark]


@dataclass(frozen=True)
class Board:
    """A suite with its columns, the ranked models and those that lack a score."""

    suite: Suite
    columns: list[SuiteEntry]
    rows: list[Row]
    unranked: list[Unranked]
    left_out: int = 0  # models that the chosen filter hides

    @property
    def has_drops(self) -> bool:
        """True when some model was asked about changed texts."""
        return any(row.relative_drop is not None for row in self.rows)


def board_of(suite: Suite, contamination: str = "") -> Board:
    """Rank the public models of a suite; the number of queries does not grow with them.

    With a filter of `LEFT_OUT` the others are ranked as if the models that it hides were not there.
    """
    columns = list(
        suite.entries.filter(benchmark__dataset__private=False).select_related("benchmark__dataset__namespace")
    )
    results = _results([column.benchmark for column in columns], suite.ends_at)
    found = {model: row for model, row in results.items() if not _levels(row) & LEFT_OUT[contamination]}
    cells = {model: [row.get(column.benchmark_id) for column in columns] for model, row in found.items()}
    ranked = [_row(model, row, columns) for model, row in cells.items() if None not in row]
    unranked = [
        Unranked(model, row, [column.benchmark for column, cell in zip(columns, row, strict=True) if cell is None])
        for model, row in cells.items()
        if None in row
    ]
    unranked.sort(key=lambda entry: (len(entry.missing), entry.model.full_name.lower()))
    return Board(suite, columns, _with_ranks(ranked)[:MAX_ROWS], unranked[:MAX_ROWS], len(results) - len(found))


def _levels(row: dict[int, Cell]) -> set[str]:
    return {cell.evaluation.contamination for cell in row.values()}


def _results(benchmarks: list[Benchmark], until: datetime | None) -> dict[Repo, dict[int, Cell]]:
    """Return for each public model its latest result of each benchmark, of its current weights if there is one.

    The latest and not the best: picking the best of several runs would reward asking often.
    """
    finished = Evaluation.objects.public().finished().filter(benchmark__in=benchmarks)
    if until is not None:
        finished = finished.filter(created_at__lte=until)
    of_current_weights = Max("id", filter=Q(weights_digest=F("head_weights")))
    chosen = (
        finished.with_head_weights()
        .values("model_id", "benchmark_id")
        .annotate(chosen=Coalesce(of_current_weights, Max("id")))
        .values("chosen")
    )
    evaluations = (
        Evaluation.objects.filter(pk__in=chosen)
        .select_related("model__namespace", "benchmark")
        .defer("metrics", "per_class", "confusion", "details", "report", "provenance", "versions")
        .with_head_weights()
    )
    found: dict[Repo, dict[int, Cell]] = defaultdict(dict)
    for evaluation in evaluations:
        found[evaluation.model][evaluation.benchmark_id] = _cell(evaluation)
    return found


def _cell(evaluation: Evaluation) -> Cell:
    value = evaluation.value
    assert value is not None  # a constraint: finished evaluations have one
    metric = evaluation.benchmark.primary_metric
    floor = floor_of(evaluation, metric)
    low = value if evaluation.low is None else evaluation.low
    high = value if evaluation.high is None else evaluation.high
    # Where lower is better, the upper end of the interval is the worse one.
    ends = sorted(normalised(end, floor, metric) for end in (low, high))
    return Cell(evaluation, floor, normalised(value, floor, metric), ends[0], ends[1])


def _row(model: Repo, cells: list[Cell | None], columns: list[SuiteEntry]) -> Row:
    """Return the weighted mean and its interval; benchmarks are different examples, so their errors are independent."""
    total = sum(column.weight for column in columns)
    given = [(cell, column.weight / total) for cell, column in zip(cells, columns, strict=True) if cell]
    score = sum(share * cell.normalised for cell, share in given)
    below = math.sqrt(sum((share * (cell.normalised - cell.low)) ** 2 for cell, share in given))
    above = math.sqrt(sum((share * (cell.high - cell.normalised)) ** 2 for cell, share in given))
    return Row(model, cells, score, score - below, score + above, 0, 0, 0)


def _with_ranks(rows: Iterable[Row]) -> list[Row]:
    """Sort by score; a model may truly stand anywhere between those that are surely ahead and those surely behind."""
    ordered = sorted(rows, key=lambda row: (-row.score, row.model.full_name.lower()))
    lows, highs = sorted(row.low for row in ordered), sorted(row.high for row in ordered)
    placed: list[Row] = []
    for position, row in enumerate(ordered):
        tied = placed[-1] if placed and math.isclose(placed[-1].score, row.score, abs_tol=1e-9) else None
        surely_ahead = len(lows) - bisect_right(lows, row.high)
        surely_behind = bisect_left(highs, row.low)
        rank = tied.rank if tied else position + 1
        best, worst = surely_ahead + 1, len(ordered) - surely_behind
        placed.append(replace(row, rank=rank, best_rank=best, worst_rank=worst))
    return placed
