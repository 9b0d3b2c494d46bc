"""When a repository is deleted, jobs that read it have nothing left to do."""

from django.utils.translation import gettext_noop

from portal.models import Event, Job

REASON = gettext_noop("The repository that this job reads was deleted.")


def cancel_jobs(event: Event) -> None:
    """Cancel the unfinished jobs whose spec names the repository."""
    repo_id = int(event.subject.removeprefix("repo:"))
    for job in Job.objects.unfinished().iterator():
        if repo_id in job.spec.get("reads", []):
            job.cancel(by=event.actor, reason=REASON)
