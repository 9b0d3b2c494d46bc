"""The job kind `measure_overlap`: how many rows of a benchmark are in a data set of this hub.

No sandbox of its own: the child that reads the files is the one that pages use, behind its walls, and what is done
with their texts here is counting.
"""

from django.conf import settings
from django.utils.translation import gettext_noop

from leaderboard import overlapping
from leaderboard.models import Overlap
from models_hub.browsing import EntryNotFound, RevisionNotFound
from models_hub.tables import texts
from models_hub.tables.texts import TableUnreadable
from worker.attempts import Attempt, JobFailed, TryAgain

GONE = gettext_noop("The data set or its files were deleted.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, where tables are kept.")
COMPARING = gettext_noop("comparing rows")


def run(attempt: Attempt) -> None:
    """Compare, and end the job with what was counted."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    rows = Overlap.objects.select_related("benchmark__dataset__namespace", "dataset__namespace")
    overlap = rows.filter(pk=attempt.job.spec["overlap"]).first()
    if overlap is None:
        raise JobFailed(GONE, code="gone")
    attempt.report(0.01, COMPARING)
    attempt.show()
    try:
        found = overlapping.measure(overlap, attempt.check)
    except (EntryNotFound, RevisionNotFound) as error:
        raise JobFailed(GONE, code="gone") from error
    except TableUnreadable as error:
        reason, facts = str(error.data["reason"]), error.data["facts"]
        assert isinstance(facts, dict)
        again = TryAgain if reason in ("busy", "no_space") else JobFailed
        is_told = overlap.benchmark.test_is_public
        data = {"file": "", "line": 0, **facts} if is_told else {"file": "", "line": 0}
        raise again(texts.TEXTS.get(reason, texts.TEXTS["crashed"]), code=reason, data=data) from error
    attempt.check()
    overlapping.record(overlap, found, job=attempt.job)
