"""The columns of a board: those that a reader chose or that are usual, and how small a difference each can show."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.board_views import ORDERS, View
from leaderboard.detecting import CORRELATION, minimum_detectable_difference
from leaderboard.metric_names import PLAIN, POOLED, metric_label
from leaderboard.models import SuiteEntry
from leaderboard.ranking import Board, Cell
from worker.engine.statistics.intervals import Z_95
from worker.engine.statistics.power import detectable_mean

# name: what stands above it, and what that means.
FACTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "borda": (
        _("Borda"),
        _("Points: on each benchmark, how many models it leaves behind, ties half. They depend on who is here."),
    ),
    "p_best": (_("Chance to be first"), _("In how many of the draws it is first")),
    "parameters": (_("Parameters"), ""),
    "disk": (_("Disk"), _("All files of the model")),
    "memory": (_("Memory"), _("The highest peak while it was measured")),
    "latency": (_("Latency"), _("The median for one example at a time, on the machine that stands above the table")),
    "drop": (
        _("Lost to changed texts"),
        _("The mean share of its scores that is lost when texts are written otherwise"),
    ),
    "ece": (_("Calibration error"), _("How far its confidence is from how often it is right, over its benchmarks")),
    "precision": (_("Precision"), _("In which numbers it computed while it was measured")),
    "license": (_("Licence"), ""),
    "architecture": (_("Architecture"), ""),
    "finished": (_("Newest result"), ""),
}
USUAL = ("borda", "parameters", "disk", "latency")
UNORDERED = ("precision", "license", "architecture", "p_best")


@dataclass(frozen=True)
class Column:
    """A column; `order` is the query that orders by it, `aria_sort` whether rows are."""

    name: str
    title: str | Promise
    hint: str | Promise
    order: str = ""
    aria_sort: str = ""
    entry: SuiteEntry | None = None
    place: int = 0  # among the benchmarks
    detectable: float | None = None  # on the scale of the metric


def facts_of(board: Board) -> list[Column]:
    """Return the columns beside benchmarks that are shown, in their order."""
    chosen = _chosen(board)
    return [_column(board.view, name, *texts) for name, texts in FACTS.items() if name in chosen]


def benchmarks_of(board: Board) -> list[Column]:
    """Return the benchmarks that are shown."""
    chosen = board.view.columns
    return [
        Column(
            name=f"b{entry.benchmark_id}",
            title=entry.benchmark.title,
            hint=metric_label(entry.benchmark.primary_metric),
            order=_order(board.view, f"b{entry.benchmark_id}"),
            aria_sort=_aria_sort(board.view, f"b{entry.benchmark_id}"),
            entry=entry,
            place=place,
            detectable=detectable(entry, [row.cells[place] for row in board.rows]),
        )
        for place, entry in enumerate(board.columns)
        if not chosen or f"b{entry.benchmark_id}" in chosen
    ]


def choices_of(board: Board) -> list[tuple[str, str | Promise, bool]]:
    """Return what can be chosen: the name, what stands above it, and whether it is shown."""
    chosen = _chosen(board)
    facts = [(name, title, name in chosen) for name, (title, _hint) in FACTS.items()]
    entries = [(f"b{entry.benchmark_id}", entry.benchmark.title) for entry in board.columns]
    picked = board.view.columns
    return facts + [(name, title, not picked or name in picked) for name, title in entries]


def sorted_by(view: View, name: str, title: str | Promise, hint: str | Promise = "") -> Column:
    """Return the heading of a column that is always there."""
    return _column(view, name, title, hint)


def detectable(entry: SuiteEntry, cells: Sequence[Cell | None]) -> float | None:
    """Return the smallest difference between two of the models that a paired test on them is likely to find."""
    given = [cell.evaluation for cell in cells if cell]
    metric = entry.benchmark.primary_metric
    if not given:
        return None
    if metric not in PLAIN | POOLED and given[0].n:
        return minimum_detectable_difference(given[0].n, median(one.value or 0.0 for one in given))
    spreads = [(one.high - one.low) / (2 * Z_95) for one in given if one.low is not None and one.high is not None]
    return detectable_mean(1, spread=median(spreads), correlation=CORRELATION) if spreads else None


def _chosen(board: Board) -> frozenset[str]:
    usual = {*USUAL, "drop"} if board.has_drops else {*USUAL}
    usual -= {"borda"} if len(board.columns) < 2 else set()  # on one benchmark it says what the rank says
    return frozenset(board.view.columns or usual)


def _column(view: View, name: str, title: str | Promise, hint: str | Promise) -> Column:
    order = "" if name in UNORDERED else _order(view, name)
    return Column(name, title, hint, order, _aria_sort(view, name))


def _order(view: View, name: str) -> str:
    """Return the query that orders by a column; of the one that orders already, the other way round."""
    wanted = f"-{name}" if view.sort == name else name
    return view.query(sort=wanted)


def _aria_sort(view: View, name: str) -> str:
    if view.order != name:
        return ""
    return "ascending" if ORDERS.get(name, False) != view.is_reversed else "descending"
