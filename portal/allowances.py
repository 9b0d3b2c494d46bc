"""How many jobs of a kind a person may ask for: so many at a time, and so many a day.

A day's allowance is charged for jobs that end well. Those that wait or run hold a place of it, which comes back when
they fail or are cancelled.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from portal import trust
from portal.errors import QuotaExceeded
from portal.models import Job, JobQuerySet, TrustLevel, User
from portal.spans import rough, span_text

MAX_UNFINISHED = 200  # jobs of one person
DAY = timedelta(days=1)
# How many times the limit of a day people have at each level of trust.
RAISED = {TrustLevel.MEMBER: 1.5, TrustLevel.REGULAR: 2.0, TrustLevel.STEWARD: 2.0}


class Allowance(NamedTuple):
    """What a person has used of a day; `limit` is 0 where there is none."""

    limit: int
    completed: int
    unfinished: int

    @property
    def left(self) -> int:
        return max(self.limit - self.completed - self.unfinished, 0)


def of(user: User, kinds: Collection[str], limit: int) -> Allowance:
    """Return what the person has used of these kinds of jobs in the last 24 hours; trust raises the limit."""
    limit = int(limit * RAISED.get(TrustLevel(trust.level(user)), 1.0)) if limit else 0
    rows = Job.objects.filter(owner=user, kind__in=kinds)
    return Allowance(limit, _completed(rows).count(), rows.unfinished().count())


def require_place(user: User) -> None:
    """Raise QuotaExceeded when the person has too many unfinished jobs of any kind.

    Whoever holds the person's row counts alone, to the end of the caller's transaction: of two requests at once only
    one gets the last place.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if Job.objects.unfinished().filter(owner=user).count() >= MAX_UNFINISHED:
        raise QuotaExceeded(
            _("You have %(max)d unfinished jobs already. Wait for some of them to end, or cancel some.")
            % {"max": MAX_UNFINISHED}
        )


def next_text(user: User, kinds: Collection[str]) -> str:
    """Say when the oldest completed job of these kinds no longer counts."""
    rows = _completed(Job.objects.filter(owner=user, kind__in=kinds))
    oldest: datetime | None = rows.order_by("finished_at").values_list("finished_at", flat=True).first()
    if oldest is None:
        return _("Cancel one that waits, or wait for one to end.")
    seconds = (oldest + DAY - timezone.now()).total_seconds()
    return _("The next one is free in about %(span)s.") % {"span": span_text(rough(max(seconds, 1)))}


def _completed(rows: JobQuerySet) -> JobQuerySet:
    return rows.filter(state=Job.State.SUCCEEDED, finished_at__gt=timezone.now() - DAY)
