"""Public numbers of moderation, each counted from rows, none that names anybody."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Q
from django.utils import timezone

from portal.mod_actions import ACTIONS, Action
from portal.models import Appeal, Decision, Report

MONTHS = 12


@dataclass(frozen=True)
class Month:
    """One month: what was reported, what was done, what became of appeals."""

    first: datetime
    reports: int
    by_machine: int
    agreed: int
    actions: list[tuple[Action, int]]
    appeals: int
    overturned: int
    changed: int
    upheld: int

    @property
    def decided(self) -> int:
        return self.overturned + self.changed + self.upheld

    @property
    def overturn_rate(self) -> float | None:
        """The share of answered appeals in which the decision did not stand; None where none was answered."""
        return (self.overturned + self.changed) / self.decided if self.decided else None


def months(count: int = MONTHS) -> list[Month]:
    """Return the last months, the present one first, in three queries for each."""
    first = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found, end = [], None
    for _number in range(count):
        found.append(_month(first, end))
        first, end = _month_before(first), first
    return found


def _month_before(first: datetime) -> datetime:
    return first.replace(year=first.year - 1, month=12) if first.month == 1 else first.replace(month=first.month - 1)


def _month(first: datetime, end: datetime | None) -> Month:
    reports = Report.objects.filter(created_at__gte=first)
    decisions = Decision.objects.filter(created_at__gte=first).exclude(needs_second=True, confirmed_at=None)
    appeals = Appeal.objects.filter(created_at__gte=first)
    if end is not None:
        reports = reports.filter(created_at__lt=end)
        decisions = decisions.filter(created_at__lt=end)
        appeals = appeals.filter(created_at__lt=end)
    said = reports.aggregate(
        all=Count("id"),
        machine=Count("id", filter=Q(is_machine=True)),
        agreed=Count("id", filter=Q(verdict=Report.Verdict.AGREED)),
    )
    done = {str(row["action"]): int(row["n"]) for row in decisions.order_by().values("action").annotate(n=Count("id"))}
    answered = {
        str(row["status"]): int(row["n"]) for row in appeals.order_by().values("status").annotate(n=Count("id"))
    }
    return Month(
        first=first,
        reports=said["all"],
        by_machine=said["machine"],
        agreed=said["agreed"],
        actions=[(one, done[name]) for name, one in ACTIONS.items() if name in done],
        appeals=sum(answered.values()),
        overturned=answered.get(Appeal.Status.OVERTURNED, 0),
        changed=answered.get(Appeal.Status.CHANGED, 0),
        upheld=answered.get(Appeal.Status.UPHELD, 0),
    )
