"""What rows of the commons look like in the REST API."""

from collections.abc import Collection
from typing import Any

from portal.models import Job, JobLine


def job_shape(job: Job, served: Collection[str] | None = None) -> dict[str, Any]:
    """Return a job as anybody who may see what it is for may see it; `served` saves a query for each of a list."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "state": job.state,
        "progress": job.progress,
        "reason_code": job.reason_code,
        "explanation": job.explanation(served),
        "warning": job.warning,
        "attempt": job.attempt,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def own_job_shape(job: Job, served: Collection[str] | None = None) -> dict[str, Any]:
    """Return a job as its owner sees it."""
    return job_shape(job, served) | {
        "title": job.title,
        "queue": job.queue,
        "owner": job.owner.username if job.owner else None,
        "cancel_requested_at": job.cancel_requested_at,
        "result": job.result,
    }


def line_shape(line: JobLine) -> dict[str, Any]:
    return {"seq": line.pk, "attempt": line.attempt, "text": line.text, "created_at": line.created_at}
