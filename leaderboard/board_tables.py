"""A board as one flat table, a row for each ranked model that a view leaves, for files and programs."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import F

from leaderboard import plain_parquet
from leaderboard.board_views import View
from leaderboard.models import BoardRow, Evaluation, Suite
from leaderboard.plain_parquet import DOUBLE, INT64, TEXT, Column
from leaderboard.ranking import Places, ordered, places_of
from leaderboard.sheets import cell

DIGITS = 6
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
# Facts of a row by their names in the table, where `Places` calls them otherwise.
_FACTS = (
    ("parameters", "parameters", INT64), ("disk_bytes", "disk", INT64), ("peak_memory_bytes", "memory", INT64),
    ("latency_ms", "latency", DOUBLE), ("relative_drop", "drop", DOUBLE), ("calibration_error", "ece", DOUBLE),
)  # fmt: skip


def table_of(suite: Suite, view: View) -> list[Column]:
    """Return the columns of a board; the number of queries grows neither with models nor with benchmarks."""
    places = places_of(suite, view)
    order = ordered(places, view)[0]
    between = places.rank_intervals(order)
    rows = _more(suite)
    more = [rows.get(int(pk), {}) for pk in places.rows[order]]
    values = _values(suite, places)
    columns = [
        Column("rank", INT64, _whole(places.ranks[order])),
        Column("rank_low", INT64, _whole(between.best)),
        Column("rank_high", INT64, _whole(between.worst)),
        Column("tie_group", INT64, _whole(places.groups[order])),
        Column("model", TEXT, [places.names[place] for place in order]),
        Column("score", DOUBLE, _numbers(places.scores[order])),
        Column("score_low", DOUBLE, _numbers(places.low[order])),
        Column("score_high", DOUBLE, _numbers(places.high[order])),
        Column("borda", DOUBLE, _numbers(places.borda()[order])),
        Column("p_best", DOUBLE, _numbers(between.p_best)),
    ]
    for name, fact, kind in _FACTS:
        found = places.facts[fact][order]
        columns.append(Column(name, kind, _whole(found) if kind == INT64 else _numbers(found)))
    columns += [
        Column("latency_machine", TEXT, [places.machine or None] * len(order)),
        Column("license", TEXT, [row.get("license") or None for row in more]),
        Column("precision", TEXT, [row.get("precision") or None for row in more]),
        Column("is_outdated", INT64, [_flag(row.get("is_outdated")) for row in more]),
        Column("is_verified_again", INT64, [_flag(row.get("is_verified")) for row in more]),
        Column("finished_at", TEXT, [_time(row.get("finished_at")) for row in more]),
    ]
    for place, column in enumerate(places.columns):
        benchmark = column.benchmark
        name = f"{benchmark.name} v{benchmark.version} #{benchmark.pk}"
        own = [values.get((int(model), benchmark.pk), (None, None)) for model in places.models[order]]
        columns += [
            Column(f"{name} normalised", DOUBLE, _numbers(places.cells[order, place])),
            Column(f"{name} {benchmark.primary_metric}", DOUBLE, [value for value, _pk in own]),
            Column(f"{name} evaluation", INT64, [pk for _value, pk in own]),
        ]
    return columns


def as_csv(columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield the table a thousand lines at a time."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([cell(column.name) for column in columns])
    for number, row in enumerate(_rows(columns), start=1):
        writer.writerow([cell(value) for value in row])
        if not number % 1000:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def as_json(suite: Suite, view: View, columns: Sequence[Column]) -> dict[str, Any]:
    """Return what the board is, how it was looked at, and its rows as objects."""
    names = [column.name for column in columns]
    return {
        "board": suite.slug,
        "version": suite.version,
        "title": suite.title,
        "view": view.query(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": [dict(zip(names, row, strict=True)) for row in _rows(columns)],
    }


def as_parquet(columns: Sequence[Column]) -> bytes:
    """Return the table as a Parquet file."""
    return plain_parquet.table(columns)


def _rows(columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.values for column in columns), strict=True)


def _more(suite: Suite) -> dict[int, dict[str, Any]]:
    """Return what `Places` does not hold, of all public rows: a list of the wanted ids would be longer."""
    rows = BoardRow.objects.filter(suite=suite).public().annotate(license=F("model__license"))
    names = ("pk", "license", "precision", "is_outdated", "is_verified", "finished_at")
    return {row["pk"]: row for row in rows.values(*names).iterator(chunk_size=2000)}


def _values(suite: Suite, places: Places) -> dict[tuple[int, int], tuple[float, int]]:
    """Return the score on the metric’s own scale, and its evaluation, by model and benchmark."""
    rows = BoardRow.objects.filter(suite=suite).public().values_list("model_id", "evaluations")
    wanted = {pk for _model, held in rows.iterator(chunk_size=2000) for pk in held if pk is not None}
    benchmarks = [column.benchmark_id for column in places.columns]
    found = Evaluation.objects.public().finished().filter(benchmark__in=benchmarks, model__board_rows__suite=suite)
    numbers = found.order_by().values_list("pk", "model_id", "benchmark_id", "value").iterator(chunk_size=5000)
    return {
        (model, benchmark): (value, pk) for pk, model, benchmark, value in numbers if pk in wanted and value is not None
    }


def _whole(values: Any) -> list[int | None]:
    return [None if math.isnan(value) else int(value) for value in values]


def _numbers(values: Any) -> list[float | None]:
    return [None if math.isnan(value) else round(float(value), DIGITS) for value in values]


def _flag(value: Any) -> int | None:
    return None if value is None else int(value)


def _time(value: Any) -> str | None:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else None
