"""The job kind `end_account`: an account is deleted, or becomes part of another; it may be stopped at any point."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from portal.models import Handover
from worker import handing_over
from worker.attempts import Attempt, JobFailed, TryAgain

GONE = gettext_noop("There is nothing left to do.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, where exports are kept.")
STEP = gettext_noop("Step %(done)d of %(total)d")


def run(attempt: Attempt) -> None:
    """Go on where the row says."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    row = Handover.objects.filter(pk=attempt.job.spec["handover"]).first()
    if row is None or row.began_at is None:
        raise JobFailed(GONE, code="gone")
    if row.finished_at is None:
        handing_over.run(row, check=attempt.check, report=lambda done, total: _show(attempt, done, total))
    with transaction.atomic():
        attempt.job.finish({})


def _show(attempt: Attempt, done: int, total: int) -> None:
    attempt.report(min(done / total, 0.99), STEP, done=done + 1, total=total)
