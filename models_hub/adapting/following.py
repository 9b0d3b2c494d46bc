"""The curve of a run: records of its log as rows, which pages and programs ask for by their number."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from models_hub.models import Run, RunPoint

KINDS = frozenset({"phase", "step", "dev", "note"})
# Numbers of a step and of a look at the dev part, all of them shown on the page of the run.
NUMBERS = frozenset(
    {
        "step", "steps", "epoch", "loss", "aux_loss", "lr", "grad_norm", "examples_per_second", "tokens_per_second",
        "padding", "left", "rss_mb", "gpu_mb", "seconds",
    }
)  # fmt: skip
COUNTS = ("step", "steps")
MAX_POINTS = 20_000
LARGEST = 1e30  # what a float of four bytes holds too, as TensorBoard's files have them
MAX_METRICS = 20
MAX_NAME = 60
MAX_TEXT = 500
PAGE = 2000


def keep(run: Run, records: Iterable[Mapping[str, Any]]) -> int:
    """Store records that a run's child wrote, each once, and return how many were proper.

    It may be hostile: what is not in the form of `worker.engine.tuning.log` is left out.
    """
    points = [point for record in records if (point := _point(run, record)) is not None]
    with transaction.atomic():
        RunPoint.objects.bulk_create(
            points, update_conflicts=True, unique_fields=("run", "seq"), update_fields=("kind", "data"), batch_size=500
        )
    return len(points)


def forget_after(run: Run, seq: int) -> None:
    """Remove what a lost attempt wrote behind the checkpoint that the next one goes on from."""
    RunPoint.objects.filter(run=run, seq__gte=seq).delete()


def after(run: Run, seq: int, limit: int = PAGE) -> list[dict[str, Any]]:
    """Return the records from number `seq` on, at most `limit` of them."""
    rows = RunPoint.objects.filter(run=run, seq__gte=seq).order_by("seq").values_list("seq", "kind", "data")
    return [{"seq": number, "kind": kind, **data} for number, kind, data in rows[:limit]]


def _point(run: Run, record: Mapping[str, Any]) -> RunPoint | None:
    seq, kind = record.get("seq"), record.get("kind")
    if type(seq) is not int or not 0 <= seq < MAX_POINTS or kind not in KINDS:
        return None
    data: dict[str, Any] = {name: value for name, value in record.items() if name in NUMBERS and _is_number(value)}
    for name in COUNTS:
        if not _is_step(data.get(name, 0)):
            del data[name]
    if kind == "dev":
        data["metrics"] = _metrics(record.get("metrics"))
        data["best"] = record.get("best") is True
    for name in {"phase": ("phase",), "note": ("text",)}.get(str(kind), ()):
        data[name] = _printable(record.get(name))
    return RunPoint(run=run, seq=seq, kind=kind, data=data)


def metric_names(points: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the metrics of the dev part, sorted; no more than one look may have."""
    return sorted({name for point in points if point["kind"] == "dev" for name in point["metrics"]})[:MAX_METRICS]


def _metrics(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) > MAX_METRICS:
        return {}
    return {
        name: number
        for name, number in value.items()
        if isinstance(name, str) and len(name) <= MAX_NAME and _is_name(name) and _is_number(number)
    }


def _is_name(text: str) -> bool:
    """Whether it can head a column: what begins with a sign is a formula to programs for tables."""
    return text.isprintable() and text[:1].isalnum()


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and -LARGEST < value < LARGEST


def _is_step(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _printable(value: Any) -> str:
    text = " ".join(str(value)[:MAX_TEXT].split())
    return "".join(char for char in text if char.isprintable())
