"""One job, worked on at once."""

from datetime import timedelta

from portal.models import Job
from worker.running import run


def perform(job_id: int) -> None:
    """Claim the job and run it to its end, as a worker does; one that is not free is left alone."""
    job = Job.claim(job_id, worker="worker-of-the-tests", lease=timedelta(minutes=1))
    if job is not None:
        run(job)
