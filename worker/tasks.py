"""What Celery calls. A message says no more than that there is work: the rows say what is to be done."""

from celery import shared_task

from worker.running import work_off


@shared_task(name="worker.wake")
def wake() -> None:
    work_off()
