"""The job kind `compare_tensors`: which tensors of two revisions differ, and how far they are from each other.

No sandbox: of the weights, only headers are parsed, by the reader that every upload meets; the rest is numbers.
"""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from models_hub import tensor_diffs, tensor_numbers
from models_hub.models import Commit, Repo
from worker.attempts import Attempt, JobFailed, TryAgain

GONE = gettext_noop("A revision that was to be compared is no longer there.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, which comparing weights needs.")
READING = gettext_noop("reading: %(done)d of %(total)d bytes")


def run(attempt: Attempt) -> None:
    """Compare, and end the job with the page that shows it."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    spec = attempt.job.spec
    repo = Repo.objects.select_related("namespace").filter(pk=spec["repo"]).first()
    found = {row.oid: row for row in Commit.objects.filter(repo=repo, oid__in=[spec["before"], spec["after"]])}
    if repo is None or {spec["before"], spec["after"]} - found.keys():
        raise JobFailed(GONE, code="gone")
    planned = tensor_diffs.between(repo, found[spec["before"]], found[spec["after"]])
    changes = tensor_numbers.compare(planned.pairs, _heard(attempt, planned.size))
    with transaction.atomic():
        tensor_diffs.keep(planned, changes)
        attempt.job.finish({"page": spec["page"], "changed": len(changes), "compared": len(planned.pairs)})


def _heard(attempt: Attempt, total: int) -> tensor_numbers.Heard:
    done = 0

    def heard(count: int) -> None:
        nonlocal done
        attempt.check()
        done += count
        attempt.report(min(done / max(total, 1), 0.99), READING, done=done, total=total)

    return heard
