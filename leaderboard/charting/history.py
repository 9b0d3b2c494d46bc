"""How a board grew, and how one model did from version to version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from django.utils import formats

from leaderboard.charting import axes, crowd
from leaderboard.charting.axes import Axis
from leaderboard.charting.scatter import Step
from leaderboard.models import Benchmark, Evaluation, SuiteEntry
from leaderboard.normalising import floor_of, normalised
from leaderboard.ranking import Places
from models_hub.models import Commit, Repo

MAX_EVALUATIONS = 1000
MAX_VERSIONS = 40
LINES = 5  # benchmarks that have a colour of their own


@dataclass(frozen=True)
class Mark:
    """A model that was the best of the board when its last score came."""

    name: str
    when: datetime
    score: float
    gain: float | None  # over the best before
    x: float
    y: float

    @property
    def path(self) -> str:
        return f"/{self.name}"


@dataclass(frozen=True)
class Growth:
    """All models by the day of their newest result, and the best score up to each day."""

    x: Axis
    y: Axis
    dots: Sequence[tuple[float, float]]
    records: Sequence[Mark]
    steps: Sequence[Step]


@dataclass(frozen=True)
class Version:
    """One version of a model: its mean over the board, None where a benchmark is lacking, and each score."""

    commit: str
    when: datetime
    title: str
    score: float | None
    values: Mapping[int, tuple[float, Evaluation]]
    cells: Sequence[tuple[float | None, Evaluation | None]]  # the same in the order of the columns
    x: float


@dataclass(frozen=True)
class Line:
    """A benchmark or the mean: its points by version, and the lines between neighbours."""

    title: str
    dots: Sequence[tuple[float, float, float]]  # x, y and the score itself
    steps: Sequence[Step]


@dataclass(frozen=True)
class Versions:
    """The versions of one model, the oldest first."""

    model: Repo
    y: Axis
    versions: Sequence[Version]
    mean: Line | None
    lines: Sequence[Line]
    columns: Sequence[Benchmark]


def growth_of(places: Places) -> Growth | None:
    """Return the history of a board, of models whose last day is known; None for fewer than two of them."""
    when = places.facts["finished"]
    known = np.flatnonzero(np.isfinite(when))
    if len(known) < 2:
        return None
    order = known[np.lexsort((-places.scores[known], when[known]))]
    x = axes.days([float(when[place]) for place in order], _day)
    y = axes.linear([float(places.scores[place]) for place in order], axes.plain)
    best = -np.inf
    records: list[Mark] = []
    for place in order:
        score = float(places.scores[place])
        if score > best:
            moment = float(when[place])
            records.append(
                Mark(
                    places.names[place],
                    datetime.fromtimestamp(moment, UTC),
                    score,
                    None if not records else score - best,
                    x.at(moment),
                    round(100 - y.at(score), 2),
                )
            )
            best = score
    dots = crowd.thinned((x.at(float(when[place])), 100 - y.at(float(places.scores[place]))) for place in order)
    return Growth(x, y, dots, records, _stairs([(mark.x, mark.y) for mark in records]))


def versions_of(model: Repo, columns: Sequence[SuiteEntry]) -> Versions | None:
    """Return how each version of a model did on the benchmarks of a board; None without two versions."""
    benchmarks = {column.benchmark_id: column for column in columns}
    rows = (
        Evaluation.objects.public()
        .finished()
        .filter(model=model, benchmark__in=benchmarks)
        .select_related("benchmark")
        .defer("metrics", "per_class", "confusion", "details", "report", "provenance", "versions")
        .order_by("-id")[:MAX_EVALUATIONS]
    )
    held: dict[str, dict[int, Evaluation]] = {}
    for row in rows:
        held.setdefault(row.weights_digest, {}).setdefault(row.benchmark_id, row)
    oids = {next(iter(found.values())).commit_oid for found in held.values()}
    commits = {one.oid: one for one in Commit.objects.filter(repo=model, oid__in=oids)}
    dated = [
        (commits[oid], found) for found in held.values() if (oid := next(iter(found.values())).commit_oid) in commits
    ]
    dated.sort(key=lambda one: one[0].pk)
    dated = dated[-MAX_VERSIONS:]
    if len(dated) < 2:
        return None
    versions = [
        _version(commit, found, columns, 100 * (number + 0.5) / len(dated))
        for number, (commit, found) in enumerate(dated)
    ]
    scores = [value for version in versions for value, _row in version.values.values()]
    y = axes.linear(scores, axes.plain)
    drawn = [column.benchmark for column in columns][:LINES]
    means = [(version.x, version.score) for version in versions if version.score is not None]
    return Versions(
        model=model,
        y=y,
        versions=versions,
        mean=_line("", means, y) if len(columns) > 1 and means else None,
        lines=[
            _line(one.title, [(v.x, v.values[one.pk][0]) for v in versions if one.pk in v.values], y) for one in drawn
        ],
        columns=[column.benchmark for column in columns],
    )


def _version(commit: Commit, found: Mapping[int, Evaluation], columns: Sequence[SuiteEntry], x: float) -> Version:
    values = {pk: (_normalised(row), row) for pk, row in found.items()}
    total = sum(column.weight for column in columns)
    is_whole = all(column.benchmark_id in values for column in columns)
    mean = sum(column.weight * values[column.benchmark_id][0] for column in columns) / total if is_whole else None
    cells = [values.get(column.benchmark_id, (None, None)) for column in columns]
    return Version(commit.oid, commit.authored_at, commit.title, mean, values, cells, round(x, 2))


def _normalised(row: Evaluation) -> float:
    assert row.value is not None  # a constraint: finished evaluations have one
    metric = row.benchmark.primary_metric
    return normalised(row.value, floor_of(row, metric), metric)


def _line(title: str, numbers: Sequence[tuple[float, float]], y: Axis) -> Line:
    dots = [(x, round(100 - y.at(score), 2), score) for x, score in numbers]
    steps = [Step(*one[:2], *other[:2]) for one, other in pairwise(dots)]
    return Line(title, dots, steps)


def _stairs(corners: Sequence[tuple[float, float]]) -> list[Step]:
    steps = []
    for (x, y), after in zip(corners, [*corners[1:], None], strict=True):
        end = after[0] if after else 100.0
        steps.append(Step(x, y, end, y))
        if after:
            steps.append(Step(end, y, end, after[1]))
    return steps


def _day(moment: float) -> str:
    return str(formats.date_format(datetime.fromtimestamp(moment, UTC), "Y-m-d"))
