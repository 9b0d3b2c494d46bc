"""A trial is over, however it ended: its study may want another one."""

from models_hub.adapting import studies
from models_hub.models import Run
from portal.models import Event


def trial_over(event: Event) -> None:
    """Have a worker look at the study of a trial whose job has ended."""
    _kind, _colon, number = event.subject.partition(":")
    run = Run.objects.select_related("study__owner").filter(job_id=int(number), study__isnull=False).first()
    if run is not None and run.study is not None:
        studies.look(run.study)
