"""A trial is over, however it ended: its study may want another one."""

from models_hub.adapting import studies
from models_hub.models import Run, Study
from portal.models import Event, Job


def trial_over(event: Event) -> None:
    """Have a worker look at the study of a trial whose job has ended."""
    _kind, _colon, number = event.subject.partition(":")
    run = Run.objects.select_related("study__owner").filter(job_id=int(number), study__isnull=False).first()
    if run is not None and run.study is not None:
        studies.look(run.study)


def search_failed(event: Event) -> None:
    """Stop a study whose look was not taken: a trial that ends asks for the next one, and there may be none."""
    if event.payload.get("kind") != studies.JOB:
        return
    job = Job.objects.filter(pk=int(event.subject.removeprefix("job:"))).first()
    study = Study.objects.filter(pk=job.spec["study"]).first() if job is not None else None
    if job is not None and study is not None:
        studies.give_up(study, job.reason)
