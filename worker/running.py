"""A job from claim to end: whatever happens in between becomes a state with a reason."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_noop

from portal.errors import DomainError
from portal.models import Job, LeaseLost
from worker import node
from worker.attempts import LEASE_LOST, SHUTDOWN, Attempt, JobFailed, Stopped, TryAgain
from worker.engine.contracts import EngineError
from worker.failure_texts import HEADLINES
from worker.jobs import KINDS

logger = logging.getLogger(__name__)

CANCELLED = gettext_noop("Cancelled on request.")
UNKNOWN_KIND = gettext_noop("This worker knows no jobs of the kind “%(kind)s”: it runs another version of the portal.")
UNEXPECTED = gettext_noop("The worker failed in a way that it did not expect; its log says more.")


def perform(job_id: int) -> None:
    """Run a job if it is due and free; a message that comes twice or late changes nothing."""
    if Attempt.is_shutting_down():
        return
    job = Job.claim(job_id, worker=node.name(), lease=timedelta(seconds=settings.JOB_LEASE_SECONDS))
    if job is None:
        return
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
        job.fail(code=error.code, reason=HEADLINES[error.code], detail=error.message)
    except TryAgain as error:
        attempt.show()
        job.give_back(code=error.code, reason=error.message, **error.data)
    except JobFailed as error:
        attempt.show()
        job.fail(code=error.code, reason=error.message, **error.data)
    except DomainError as error:
        attempt.show()
        job.fail(code=error.code, reason=error.message)
    except Exception:
        logger.exception("Job %s failed unexpectedly.", job.pk)
        job.give_back(code="worker_error", reason=UNEXPECTED)


def _stopped(job: Job, why: str) -> None:
    if why == SHUTDOWN:
        job.release()
    elif why != LEASE_LOST:  # whoever lost the lease has nothing more to say
        job.give_back(code="cancelled", reason=CANCELLED)
