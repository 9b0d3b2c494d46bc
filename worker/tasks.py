"""What Celery calls. A message holds an id and nothing else: the row says what is to be done."""

from celery import shared_task

from worker.running import perform


@shared_task(name="worker.run_job")
def run_job(job_id: int) -> None:
    perform(job_id)
