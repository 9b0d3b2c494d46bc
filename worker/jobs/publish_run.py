"""The job kind `publish_run`: a model that was packed, by a worker elsewhere or by a study, becomes a version."""

from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub.adapting import ending
from models_hub.models import Run
from worker import results, scratch
from worker.attempts import Attempt, JobFailed, TryAgain

GONE = gettext_noop("The run or its model was deleted.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, where results are published.")
STORING = gettext_noop("storing the result")


def run(attempt: Attempt) -> None:
    """Unpack and commit; the job ends in the same transaction."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    rows = Run.objects.select_related("owner", "base__namespace", "data__namespace", "checkpoint")
    row = rows.filter(pk=attempt.job.spec["run"], job=attempt.job, finished_at=None).first()
    if row is None or row.checkpoint is None:
        raise JobFailed(GONE, code="gone")
    attempt.report(0.1, STORING)
    with scratch.folder_for(attempt.job) as folder:
        model = folder / "model"
        results.unpack(attempt.job, row.checkpoint, model)
        attempt.check()
        ending.finish(row, job=attempt.job, files=results.made(attempt.job, row, model), found={})
