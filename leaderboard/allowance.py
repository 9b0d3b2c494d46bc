"""How many evaluations a person may ask for: so many at a time, and so many a day.

A day's allowance is charged for runs that end with a score. Those that wait or run hold a place of it, which comes
back when they fail or are cancelled.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import QuotaExceeded
from portal.models import Job, JobQuerySet, User
from portal.spans import rough, span_text

MAX_UNFINISHED = 200  # jobs of one person
DAY = timedelta(days=1)
KIND = "evaluate"


class Allowance(NamedTuple):
    """What a person has used of a day; `limit` is 0 where there is none."""

    limit: int
    completed: int
    unfinished: int

    @property
    def left(self) -> int:
        return max(self.limit - self.completed - self.unfinished, 0)


def of(user: User) -> Allowance:
    """Return what the person has used in the last 24 hours."""
    rows = Job.objects.filter(owner=user, kind=KIND)
    return Allowance(settings.EVALUATIONS_PER_DAY, _completed(rows).count(), rows.unfinished().count())


def require(user: User) -> None:
    """Raise QuotaExceeded when the person may not ask for another evaluation now."""
    if Job.objects.unfinished().filter(owner=user).count() >= MAX_UNFINISHED:
        raise QuotaExceeded(
            _("You have %(max)d unfinished jobs already. Wait for some of them to end, or cancel some.")
            % {"max": MAX_UNFINISHED}
        )
    used = of(user)
    if used.limit and not used.left:
        raise QuotaExceeded(
            _(
                "You may have %(limit)d evaluations in 24 hours: %(completed)d were completed and %(unfinished)d wait "
                "or run. Failed and cancelled ones do not count. %(next)s"
            )
            % {**used._asdict(), "next": _next_text(user)},
            code="daily_limit",
        )


def _completed(rows: JobQuerySet) -> JobQuerySet:
    return rows.filter(state=Job.State.SUCCEEDED, finished_at__gt=timezone.now() - DAY)


def _next_text(user: User) -> str:
    """Say when the oldest completed run no longer counts."""
    rows = _completed(Job.objects.filter(owner=user, kind=KIND))
    oldest: datetime | None = rows.order_by("finished_at").values_list("finished_at", flat=True).first()
    if oldest is None:
        return _("Cancel one that waits, or wait for one to end.")
    seconds = (oldest + DAY - timezone.now()).total_seconds()
    return _("The next one is free in about %(span)s.") % {"span": span_text(rough(max(seconds, 1)))}
