"""A job from claim to end: whatever happens in between becomes a state with a reason."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub.storage import is_full
from portal import fair_share, needs
from portal.errors import DomainError
from portal.models import Job, LeaseLost
from worker import node
from worker.attempts import LEASE_LOST, SHUTDOWN, Attempt, JobFailed, Stopped, TryAgain
from worker.engine.contracts import EngineError
from worker.failure_texts import headline
from worker.jobs import KINDS

logger = logging.getLogger(__name__)

CANCELLED = gettext_noop("Cancelled on request.")
UNKNOWN_KIND = gettext_noop("This worker knows no jobs of the kind “%(kind)s”: it runs another version of the portal.")
NO_SPACE = gettext_noop("The disk of the worker or of the portal is full. It goes on once its admin has made room.")
UNEXPECTED = gettext_noop("The worker failed in a way that it did not expect; its log says more.")


def work_off() -> None:
    """Run due jobs of this worker's queues by fair share until none is left that it can do.

    A message is no more than a reason to look: one that comes twice or late finds nothing to do.
    """
    queues = list(settings.WORKER_QUEUES)
    while (job := _take(queues)) is not None:
        queues.sort(key=job.queue.__eq__)  # no queue waits for another to be empty
        run(job)


def _take(queues: Iterable[str]) -> Job | None:
    """Claim the job that comes first among those that this worker can do; None when there is none."""
    if Attempt.is_shutting_down() or not node.takes_jobs():
        return None
    has, lease = node.stated_capabilities(), timedelta(seconds=settings.JOB_LEASE_SECONDS)
    for queue in queues:
        for turn in fair_share.line(queue):
            if needs.unmet(turn.kind, turn.needs, has):
                continue
            if (job := Job.claim(turn.job, worker=node.name(), lease=lease)) is not None:
                return job
    return None


def run(job: Job) -> None:
    """Run a claimed job to its end."""
    logger.info("Job %s (%s) starts, attempt %s.", job.pk, job.kind, job.attempt)
    with Attempt(job) as attempt:
        _work(attempt)
    job.refresh_from_db()
    logger.info("Job %s is %s. %s", job.pk, job.state, job.reason_text)


def _work(attempt: Attempt) -> None:
    """Do the work; the end of the job is written here, guarded by its fence, or not at all."""
    job = attempt.job
    try:
        if job.kind not in KINDS:
            raise TryAgain(UNKNOWN_KIND, code="unknown_kind", data={"kind": job.kind})
        attempt.show()
        KINDS[job.kind](attempt)
    except Stopped as stop:
        _stopped(job, stop.why)
    except LeaseLost:
        _stopped(job, LEASE_LOST)
    except EngineError as error:
        attempt.show()
        job.fail(code=error.code, reason=headline(error.code, job.kind), detail=error.message)
    except TryAgain as error:
        attempt.show()
        job.give_back(code=error.code, reason=error.message, **error.data)
    except JobFailed as error:
        attempt.show()
        job.fail(code=error.code, reason=error.message, **error.data)
    except DomainError as error:
        attempt.show()
        if is_full(error):
            job.give_back(code="no_space", reason=NO_SPACE)
        else:
            job.fail(code=error.code, reason=error.message)
    except Exception as error:
        logger.exception("Job %s failed unexpectedly.", job.pk)
        code, reason = ("no_space", NO_SPACE) if is_full(error) else ("worker_error", UNEXPECTED)
        job.give_back(code=code, reason=reason)


def _stopped(job: Job, why: str) -> None:
    if why == SHUTDOWN:
        job.release()
    elif why != LEASE_LOST:  # whoever lost the lease has nothing more to say
        job.give_back(code="cancelled", reason=CANCELLED)
