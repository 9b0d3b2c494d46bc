"""The states of a job, and the texts that say why it is in one."""

from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

# Reasons are stored in English and translated where they are shown.
CANCELLED = gettext_noop("Cancelled on request.")
WORKER_LOST = gettext_noop("The worker stopped answering while it ran this job.")
CRASHED = gettext_noop("The worker died each time it ran this job, so it is not tried again.")
WORKER_STOPPED = gettext_noop("The worker was shut down; the job starts again on the next one.")
STALLED = gettext_noop("It showed no progress and used no processor time for %(minutes)d min, so it was ended.")
OVERDUE = gettext_noop("It was ended because it ran longer than the %(minutes)d min that it may take.")


class JobState(models.TextChoices):
    """From waiting to one of three ends."""

    QUEUED = "queued", gettext_lazy("queued")
    LEASED = "leased", gettext_lazy("starting")
    RUNNING = "running", gettext_lazy("running")
    SUCCEEDED = "succeeded", gettext_lazy("succeeded")
    FAILED = "failed", gettext_lazy("failed")
    CANCELLED = "cancelled", gettext_lazy("cancelled")


HELD = (JobState.LEASED, JobState.RUNNING)
UNFINISHED = (JobState.QUEUED, JobState.LEASED, JobState.RUNNING)


def filled(stored: str, data: dict[str, Any]) -> str:
    """Return a stored text in the reader's language."""
    text = _(stored) if stored else ""
    return text % data if data else text
