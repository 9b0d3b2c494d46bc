"""What models weigh, how fast they answer, and how they bear changed texts and doubt: side by side.

Times and memory are of a machine: numbers of different ones stand beside each other with a mark, and none is the best.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.comparing.choosing import Chosen
from leaderboard.comparing.differences import Task
from leaderboard.metric_names import metric_text
from leaderboard.models import Evaluation
from leaderboard.standings import machine_of
from portal.templatetags.ui import bytesize, compact, percent

Number = float | int | None


@dataclass(frozen=True)
class Value:
    """A number as it is written; `is_best` only where all were measured alike."""

    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Line:
    """One thing that was counted or measured, for each model in their order."""

    title: str | Promise
    values: Sequence[Value | None]
    differs: bool = False  # the machines, or what else ran on them: no value is better than another then


@dataclass(frozen=True)
class Side:
    """The lines of one benchmark, and on which machine each model was measured."""

    task: Task
    lines: Sequence[Line]
    machines: Sequence[str]
    is_busy: bool = False  # others were at work on a machine, so that times say little

    @property
    def key(self) -> str:
        return str(self.task.benchmark.pk)

    @property
    def is_one_machine(self) -> bool:
        return len({machine for machine in self.machines if machine}) < 2


@dataclass(frozen=True)
class _Measure:
    title: str | Promise
    read: Callable[[Evaluation], Any]
    write: Callable[[Any], str]
    more_is_better: bool = False
    of_machine: bool = False
    of_time: bool = False


MEASURES = (
    _Measure(
        _("Latency, median"),
        lambda one: _report(one, "latency", "p50_ms"),
        lambda n: f"{n:.1f} ms",
        of_machine=True,
        of_time=True,
    ),
    _Measure(
        _("Latency, 90th percentile"),
        lambda one: _report(one, "latency", "p90_ms"),
        lambda n: f"{n:.1f} ms",
        of_machine=True,
        of_time=True,
    ),
    _Measure(
        _("Examples per second"),
        lambda one: _report(one, "examples_per_second"),
        lambda n: f"{n:,.1f}",
        more_is_better=True,
        of_machine=True,
        of_time=True,
    ),
    _Measure(_("Peak memory"), lambda one: _report(one, "peak_rss_bytes"), lambda n: bytesize(n), of_machine=True),
    _Measure(
        _("Peak GPU memory"), lambda one: _report(one, "peak_device_bytes"), lambda n: bytesize(n), of_machine=True
    ),
    _Measure(_("Lost to changed texts"), lambda one: one.relative_drop, lambda n: f"{percent(n)} %"),
    _Measure(_("Calibration error"), lambda one: one.metric("ece").get("value"), lambda n: metric_text(n, "ece")),
)


def sides_of(tasks: Sequence[Task]) -> list[Side]:
    """Return what was measured on each benchmark that several of the models share."""
    found = [_side(task) for task in tasks if task.is_shared]
    return [side for side in found if side.lines]


def sizes_of(chosen: Sequence[Chosen], held: Sequence[Mapping[int, Evaluation]]) -> list[Line]:
    """Return what each model is: as its newest evaluation found it, else as the hub counted it."""
    newest = [max(rows.values(), key=lambda row: row.pk, default=None) for rows in held]
    counted = [one.model if one.is_current else None for one in chosen]
    rows: list[tuple[str | Promise, list[Any], Callable[[Any], str], bool]] = [
        (_("Parameters"), _known(newest, "parameters", counted, "parameters"), compact, True),
        (_("On disk"), _known(newest, "disk_bytes", counted, "size"), bytesize, True),
        (_("Weights"), _known(newest, "weights_bytes", (), ""), bytesize, True),
        (_("Computed in"), [row.dtype if row else None for row in newest], str, False),
        (_("Architecture"), _known(newest, "architecture", counted, "architecture"), str, False),
        (_("Longest input, tokens"), [one.context_length if one else None for one in counted], compact, False),
        (_("Licence"), [one.license if one else None for one in counted], str, False),
    ]
    return [
        Line(title, _values(numbers, write, best="low" if is_cost else ""))
        for title, numbers, write, is_cost in rows
        if any(numbers)
    ]


def _side(task: Task) -> Side:
    machines = [machine_of(one.report, one.device, one.threads) if one else "" for one in task.results]
    differ = len({machine for machine in machines if machine}) > 1
    is_busy = any(one.report.get("busy") for one in task.results if one)
    lines = []
    for measure in MEASURES:
        numbers = [_number(measure.read(one)) if one else None for one in task.results]
        if any(number is not None for number in numbers):
            is_unlike = (differ and measure.of_machine) or (is_busy and measure.of_time)
            best = "" if is_unlike else "high" if measure.more_is_better else "low"
            lines.append(Line(measure.title, _values(numbers, measure.write, best=best), is_unlike))
    return Side(task, lines, machines, is_busy)


def _values(numbers: Sequence[Any], write: Callable[[Any], str], *, best: str) -> list[Value | None]:
    known = [number for number in numbers if number not in {None, ""}]
    top = (min(known) if best == "low" else max(known)) if best and len(known) > 1 and len(set(known)) > 1 else None
    return [
        None if number in {None, ""} else Value(write(number), top is not None and number == top) for number in numbers
    ]


def _known(newest: Sequence[Evaluation | None], name: str, counted: Sequence[Any], column: str) -> list[Any]:
    """Return a fact of the reports, of the hub where no report has it."""
    found = [row.report.get(name) if row else None for row in newest]
    others = [getattr(one, column) if one else None for one in counted] or [None] * len(found)
    return [one if one else other for one, other in zip(found, others, strict=True)]


def _report(one: Evaluation, *path: str) -> Any:
    value: Any = one.report
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _number(value: Any) -> Number:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
