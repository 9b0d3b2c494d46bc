"""The job kind `read_table`: all rows of a large table are read, counted and kept for the pages of the data set.

No sandbox of its own: the child that reads the files is the one that pages use, behind the same walls.
"""

from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub.tables import reading, texts, whole
from models_hub.tables.texts import TableUnreadable
from worker.attempts import Attempt, JobFailed, TryAgain

GONE = gettext_noop("The repository or its files were deleted.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, where tables are kept.")
READING = gettext_noop("%(rows)d rows read")
COUNTING = 0.8  # what is left then is to count what was read


def run(attempt: Attempt) -> None:
    """Read the files, and end the job with the page that shows them."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    source = whole.source_of(attempt.job)
    if source is None:
        raise JobFailed(GONE, code="gone")

    def heard(rows: int, share: float) -> None:
        attempt.check()
        attempt.report(min(share, 1.0) * COUNTING, READING, rows=rows)

    try:
        reading.read(source, reading.WHOLE, heard)
    except TableUnreadable as error:
        reason, facts = str(error.data["reason"]), error.data["facts"]
        assert isinstance(facts, dict)
        again = TryAgain if reason in ("busy", "no_space") else JobFailed
        data = {"file": "", "line": 0, **facts}
        raise again(texts.TEXTS.get(reason, texts.TEXTS["crashed"]), code=reason, data=data) from error
    attempt.check()
    attempt.job.finish({"repo": source.repo.pk, "page": attempt.job.spec["page"]})
