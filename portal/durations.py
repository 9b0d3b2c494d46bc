"""How long jobs of a kind take, measured on those that ended well: what a wait and a cost are estimated from."""

from statistics import quantiles
from typing import NamedTuple

from portal.models import Job

MEASURED = 40  # the latest runs of a kind
ENOUGH = 3  # of fewer runs nothing is said


class Span(NamedTuple):
    """Seconds that the middle half of the measured runs took, and how many were measured."""

    low: float
    middle: float
    high: float
    runs: int


def of_kind(kind: str) -> Span | None:
    """Return what a job of this kind is likely to cost in seconds, None while too few have ended."""
    rows = Job.objects.filter(kind=kind, state=Job.State.SUCCEEDED, started_at__isnull=False)
    times = rows.order_by("-finished_at").values_list("started_at", "finished_at")[:MEASURED]
    return span_of([(over - begun).total_seconds() for begun, over in times if begun and over])


def span_of(seconds: list[float]) -> Span | None:
    """Return the quartiles of measured seconds, None when there are too few."""
    if len(seconds) < ENOUGH:
        return None
    low, middle, high = quantiles(sorted(max(value, 0.0) for value in seconds), n=4, method="inclusive")
    return Span(low, middle, high, len(seconds))
