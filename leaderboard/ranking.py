"""The board of a suite: who is ahead, by how much, and where the difference is noise.

A score is normalised as 100 · (s - floor) / (best - floor), where the floor is the best that anything reaches which
learned nothing, such as guessing or always giving the most frequent label; it is not clipped, which would give a model
that learned nothing free points. The mean over the weighted benchmarks ranks; a model that lacks one of them is listed
apart, never as a zero. All is read from rows that `standings` made; ranks are among the models that a view leaves, as
if the others were not there.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from leaderboard.board_views import ORDERS, View, latency_on
from leaderboard.models import Benchmark, BoardRow, BoardRowQuerySet, BoardState, Evaluation, Suite, SuiteEntry
from leaderboard.normalising import floor_among, normalised
from leaderboard.standings import columns_of
from models_hub.models import Repo
from worker.engine.statistics import boards
from worker.engine.statistics.ranking import FEW_TASKS, averages, borda
from worker.engine.statistics.resampling import Array, Whole

PAGE = 50
# What is known of each model beside its scores, and where it is read.
_PATHS = {
    "parameters": "model__parameters", "disk": "model__size", "memory": "memory_bytes", "latency": "latency",
    "drop": "relative_drop", "ece": "ece", "finished": "finished_at",
}  # fmt: skip
FACTS = tuple(_PATHS)
UNRANKED_SHOWN = 20


@dataclass(frozen=True)
class Places:
    """Everything that ranks the models that a view leaves, as arrays in the order of their scores, the best first."""

    columns: list[SuiteEntry]
    rows: Whole  # ids of BoardRow
    models: Whole  # ids of Repo
    names: list[str]
    scores: Array
    low: Array
    high: Array
    cells: Array  # (models, columns), normalised
    drawn: boards.Single  # (models, draws); without draws where a board waits to be computed anew
    ranks: Whole
    groups: Whole  # models of one group cannot be told from its first; numbered from 1
    facts: dict[str, Array]  # those that were asked for; NaN where nothing is known
    unranked: list[tuple[int, str]]  # ids of BoardRow and names, those that lack least first
    total: int  # public models of the board, whatever the view
    machine: str  # on which `latency` was measured
    machines: list[str]
    held: list[int]  # ids of benchmarks in the order in which rows hold their evaluations
    is_computed: bool  # false until a new board was computed for the first time

    @property
    def draws(self) -> int:
        return int(self.drawn.shape[1])

    def __len__(self) -> int:
        return len(self.models)

    @property
    def left_out(self) -> int:
        """Models that filters hide."""
        return self.total - len(self) - len(self.unranked)

    def borda(self) -> Array:
        """Return the points of each model: on each benchmark, how many it leaves behind, ties half."""
        return borda(np.round(self.cells, 9))

    def rank_intervals(self, chosen: Whole) -> boards.Ranks:
        """Return between which ranks these stand in the middle 95 % of draws."""
        if self.drawn.shape[1]:
            return boards.rank_intervals(self.drawn, chosen)
        # Until they are drawn nothing is sure.
        first = np.ones(len(chosen), dtype=int)
        return boards.Ranks(first, first * len(self), np.full(len(chosen), np.nan))


@dataclass(frozen=True, slots=True)
class Result:
    """What a board shows of an evaluation; a page has a thousand of them."""

    pk: int
    benchmark_id: int
    value: float
    low: float | None
    high: float | None
    n: int | None
    contamination: str
    is_outdated: bool  # the head of the model has other weights than those that were evaluated

    def get_absolute_url(self) -> str:
        return f"/evaluations/{self.pk}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One model's result on one benchmark, on the metric's own scale and normalised."""

    evaluation: Result
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
    group: int
    p_best: float | None
    borda: float
    borda_rank: int
    latency: float | None  # milliseconds on the machine of the board
    facts: BoardRow

    @property
    def is_tied(self) -> bool:
        """True when other models cannot be told from this one."""
        return self.best_rank != self.worst_rank

    @property
    def relative_drop(self) -> float | None:
        """The mean share of its scores that is lost when texts are written otherwise; None where nothing was asked."""
        return self.facts.relative_drop


@dataclass(frozen=True)
class Unranked:
    """A model that lacks a score, and which benchmarks it lacks."""

    model: Repo
    cells: list[Cell | None]
    missing: list[Benchmark]


@dataclass(frozen=True)
class Board:
    """A suite with its columns, a page of the ranked models and those that lack a score."""

    suite: Suite
    view: View
    columns: list[SuiteEntry]
    rows: list[Row]
    unranked: list[Unranked]
    places: Places
    found: int  # ranked models that the words of a search leave
    next: str  # where the next page begins, "" on the last one

    @property
    def left_out(self) -> int:
        """Models that filters hide."""
        return self.places.left_out

    @property
    def is_waiting(self) -> bool:
        """True when the board was never computed, or ranks have no draws behind them until it is computed anew."""
        return not self.places.is_computed or (bool(self.rows) and not self.places.draws)

    @property
    def has_few_tasks(self) -> bool:
        """True when the choice of benchmarks is most of the doubt."""
        return len(self.columns) < FEW_TASKS

    @property
    def has_drops(self) -> bool:
        """True when some model of the page was asked about changed texts."""
        return any(row.relative_drop is not None for row in self.rows)


def board_of(suite: Suite, view: View | None = None, *, limit: int = PAGE) -> Board:
    """Read a page of a board; the number of queries grows neither with models nor with benchmarks."""
    view = view or View()
    places = places_of(suite, view, facts=[view.order] if view.order in FACTS else [])
    order, keys = ordered(places, view)
    shown = _page(places, order, keys, view)[:limit]
    is_last = not len(shown) or shown[-1] == order[-1]
    lacking = [] if view.after else _lacking(places, view)
    facts = _facts_of([*places.rows[shown], *lacking])
    cells = _cells_of(places, facts.values())
    return Board(
        suite=suite,
        view=view,
        columns=places.columns,
        rows=list(_rows_of(places, shown, facts, cells)),
        unranked=[_unranked(facts[pk], cells[pk], places.columns) for pk in lacking if pk in facts],
        places=places,
        found=len(order),
        next="" if is_last else _cursor(places, keys, order, shown[-1]),
    )


def places_of(suite: Suite, view: View | None = None, *, facts: Sequence[str] = FACTS) -> Places:
    """Rank the public models of a suite that a view leaves; three queries, four with filters."""
    view = view or View()
    columns = columns_of(suite)
    state = BoardState.objects.filter(suite=suite).first() or BoardState(suite=suite)
    machine = view.machine or next(iter(state.machines), "")
    public = BoardRow.objects.filter(suite=suite).public()
    read = _read(view.narrow(public, machine) if view.filters else public, state, machine, facts)
    total = public.count() if view.filters else len(read.pk)
    cells = _matrix(read.cells, state, columns)
    lacking = np.isnan(cells).sum(axis=1)
    unranked = sorted(np.flatnonzero(lacking).tolist(), key=lambda place: (lacking[place], read.name(place).lower()))
    whole = np.flatnonzero(lacking == 0)
    return replace(
        _ranked(read, cells, whole, columns, state),
        unranked=[(read.pk[place], read.name(place)) for place in unranked],
        total=total,
        machine=machine,
    )


class _Read(NamedTuple):
    """What is read of all models, by column: ten thousand rows of Python are what a board would spend its time on."""

    pk: Sequence[int]
    model: Sequence[int]
    owner: Sequence[str]
    short: Sequence[str]
    cells: Sequence[bytes]
    drawn: Sequence[bytes]
    low: Sequence[float | None]
    high: Sequence[float | None]
    facts: dict[str, Sequence[Any]]

    def name(self, place: int) -> str:
        return f"{self.owner[place]}/{self.short[place]}"

    def fact(self, name: str, places: Whole) -> Array:
        """Return a fact as numbers, NaN for what is unknown."""
        values = self.facts[name]
        if name == "finished":
            values = [moment.timestamp() if moment else None for moment in values]
        return np.array(values, dtype=float)[places]


_COLUMNS = ("pk", "model_id", "model__namespace__name", "model__name", "cells", "drawn", "low", "high")


def _read(rows: BoardRowQuerySet, state: BoardState, machine: str, facts: Sequence[str]) -> _Read:
    """Return the rows; those that another process is just making anew for other columns come with the next look."""
    names = (*_COLUMNS, *(_PATHS[name] for name in facts))
    rows = rows.annotate(latency=latency_on(machine)) if "latency" in facts else rows
    place, size = _COLUMNS.index("cells"), 8 * len(state.columns)
    kept = [row for row in rows.order_by().values_list(*names) if len(row[place]) == size]
    read: list[Sequence[Any]] = list(zip(*kept, strict=True)) if kept else [() for _name in names]
    return _Read._make([*read[: len(_COLUMNS)], dict(zip(facts, read[len(_COLUMNS) :], strict=True))])


def _matrix(cells: Sequence[bytes], state: BoardState, columns: Sequence[SuiteEntry]) -> Array:
    """Return the normalised scores (models, columns) of the benchmarks that anybody may see now."""
    held = np.frombuffer(b"".join(cells), dtype="<f8").reshape(len(cells), len(state.columns))
    places = {benchmark: place for place, benchmark in enumerate(state.columns)}
    empty = np.full(len(cells), np.nan)
    found = [held[:, places[c.benchmark_id]] if c.benchmark_id in places else empty for c in columns]
    return np.stack(found, axis=1) if found else np.zeros((len(cells), 0))


def _ranked(read: _Read, cells: Array, whole: Whole, columns: list[SuiteEntry], state: BoardState) -> Places:
    weights = np.array([column.weight for column in columns])
    means = averages(cells[whole], weights) if columns else np.zeros(len(whole))
    by_score = dict(zip(whole.tolist(), (-np.round(means, 9)).tolist(), strict=True))
    order = np.array(sorted(by_score, key=lambda place: (by_score[place], read.name(place).lower())), dtype=int)
    scores = averages(cells[order], weights) if columns else np.zeros(len(order))
    is_current = state.columns == [column.benchmark_id for column in columns]
    drawn = _draws([read.drawn[place] for place in order], state.draws if is_current else 0)
    low, high = (np.array(ends, dtype=float)[order] if drawn.shape[1] else scores for ends in (read.low, read.high))
    return Places(
        columns=columns,
        rows=np.array(read.pk, dtype=int)[order],
        models=np.array(read.model, dtype=int)[order],
        names=[read.name(place) for place in order],
        scores=scores,
        low=np.minimum(low, scores),
        high=np.maximum(high, scores),
        cells=cells[order],
        drawn=drawn,
        ranks=boards.ranks_of(scores),
        groups=boards.tie_groups(drawn) if drawn.shape[1] else np.ones(len(order), dtype=int),
        facts={name: read.fact(name, order) for name in read.facts},
        unranked=[],
        total=0,
        machine="",
        machines=state.machines,
        held=state.columns,
        is_computed=state.renewed_at is not None,
    )


def _draws(drawn: Sequence[bytes], draws: int) -> boards.Single:
    """Return the means in each draw (models, draws); none where they are just being made anew."""
    if any(len(means) != 4 * draws for means in drawn):
        draws = 0
    return np.frombuffer(b"".join(drawn) if draws else b"", dtype="<f4").reshape(len(drawn), draws)


def ordered(places: Places, view: View) -> tuple[Whole, Array]:
    """Return the places of the rows that a search leaves as a reader orders them, and by what, small numbers first.

    What is unknown comes last whichever way.
    """
    values = _values(places, view)
    ascending = ORDERS.get(view.order, False) != view.is_reversed
    keys = np.where(np.isnan(values), np.inf, values if ascending else -values)
    found = np.arange(len(places))
    if words := view.q.lower().split():
        names = [name.lower() for name in places.names]
        found = np.array([place for place in found if all(word in names[place] for word in words)], dtype=int)
    order = found[np.argsort(keys[found], kind="stable")]
    return order, keys[order]


def _values(places: Places, view: View) -> Array:
    """Return the number of each row by which a view orders."""
    if view.order == "borda":
        return places.borda()
    if view.order == "name":
        by_name = sorted(range(len(places)), key=lambda place: places.names[place].lower())
        return np.argsort(by_name).astype(float)
    if view.order in places.facts:
        return places.facts[view.order]
    chosen = [place for place, column in enumerate(places.columns) if view.order == f"b{column.benchmark_id}"]
    return places.cells[:, chosen[0]] if chosen else np.round(places.scores, 9)


def _page(places: Places, order: Whole, keys: Array, view: View) -> Whole:
    """Return the rows after the one that the cursor names; it tells its number too, should the model be gone."""
    model, _tilde, number = view.after.partition("~")
    if not model.isdecimal() or len(model) > 18:
        return order
    at = np.flatnonzero(places.models[order] == int(model))
    start = at[0] + 1 if len(at) else np.searchsorted(keys, _number(number), side="right")
    return order[start:]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.inf


def _cursor(places: Places, keys: Array, order: Whole, last: int) -> str:
    return f"{places.models[last]}~{keys[np.flatnonzero(order == last)[0]]:.17g}"


def _lacking(places: Places, view: View) -> list[int]:
    words = view.q.lower().split()
    return [pk for pk, name in places.unranked if all(word in name.lower() for word in words)][:UNRANKED_SHOWN]


def _unranked(row: BoardRow, cells: list[Cell | None], columns: Sequence[SuiteEntry]) -> Unranked:
    missing = [column.benchmark for column, cell in zip(columns, cells, strict=True) if cell is None]
    return Unranked(row.model, cells, missing)


def _facts_of(rows: Iterable[int]) -> dict[int, BoardRow]:
    """Return the rows with their models; what became private since the ranks were read is left out."""
    found = BoardRow.objects.public().filter(pk__in=[int(row) for row in rows])
    return {row.pk: row for row in found.select_related("model__namespace").defer("cells", "drawn")}


def _cells_of(places: Places, rows: Iterable[BoardRow]) -> dict[int, list[Cell | None]]:
    """Return the results of each row in the order of the columns, with the evaluations that prove them."""
    by_row = {row.pk: dict(zip(places.held, row.evaluations, strict=False)) for row in rows}
    wanted = {pk for held in by_row.values() for pk in held.values() if pk is not None}
    metrics = {column.benchmark_id: column.benchmark.primary_metric for column in places.columns}
    found = Evaluation.objects.public().finished().filter(pk__in=wanted, benchmark__in=metrics).with_head_weights()
    names = (
        "weights_digest", "head_weights", "floors", "pk", "benchmark_id", "value", "low", "high", "n", "contamination",
    )  # fmt: skip
    cells = {}
    rows_of_numbers: Iterable[Any] = found.order_by().values_list(*names)
    for weights, head, floors, pk, benchmark, value, low, high, n, level in rows_of_numbers:
        result = Result(pk, benchmark, value, low, high, n, level, weights != head)
        cells[pk] = _cell(result, floors, metrics[benchmark])
    return {pk: [cells.get(held.get(benchmark) or 0) for benchmark in metrics] for pk, held in by_row.items()}


def _cell(result: Result, floors: dict[str, Any], metric: str) -> Cell:
    floor = floor_among(floors, metric)
    low = result.value if result.low is None else result.low
    high = result.value if result.high is None else result.high
    # Where lower is better, the upper end of the interval is the worse one.
    ends = sorted(normalised(end, floor, metric) for end in (low, high))
    return Cell(result, floor, normalised(result.value, floor, metric), ends[0], ends[1])


def _rows_of(
    places: Places, shown: Whole, facts: dict[int, BoardRow], cells: dict[int, list[Cell | None]]
) -> Iterator[Row]:
    """Yield the rows of a page."""
    if not len(shown):
        return
    between = places.rank_intervals(shown)
    points = places.borda()
    borda_ranks = boards.ranks_of(points)
    for number, place in enumerate(shown):
        row = facts.get(int(places.rows[place]))
        if row is None:
            continue
        yield Row(
            model=row.model,
            cells=cells[row.pk],
            score=float(places.scores[place]),
            low=float(places.low[place]),
            high=float(places.high[place]),
            rank=int(places.ranks[place]),
            best_rank=int(between.best[number]),
            worst_rank=int(between.worst[number]),
            group=int(places.groups[place]),
            p_best=_known(between.p_best[number]),
            borda=float(points[place]),
            borda_rank=int(borda_ranks[place]),
            latency=row.latencies.get(places.machine),
            facts=row,
        )


def _known(number: float) -> float | None:
    return None if math.isnan(number) else float(number)
