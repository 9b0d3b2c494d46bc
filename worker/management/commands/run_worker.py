"""manage.py run_worker: one process that runs jobs in threads, each job's hostile part in a sandboxed child."""

import logging
from typing import Any

from celery.signals import worker_shutting_down
from django.conf import settings
from django.core.management.base import BaseCommand

from portal.config.celery import app
from worker import node, scratch
from worker.attempts import Attempt

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run jobs of the queues in WORKER_QUEUES, WORKER_SLOTS at a time; runs until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        if leftovers := scratch.remove_leftovers():
            logger.info("Removed %s scratch folders of workers that were killed.", leftovers)
        worker_shutting_down.connect(give_jobs_back)
        hello = node.Hello()
        hello.start()
        try:
            app.worker_main(
                [
                    "worker",
                    "--pool=threads",
                    f"--concurrency={settings.WORKER_SLOTS}",
                    f"--queues={','.join(settings.WORKER_QUEUES)}",
                    f"--hostname={node.name()}",
                    f"--loglevel={logging.getLevelName(logging.getLogger().level)}",
                    "--without-gossip",
                    "--without-mingle",
                    "--without-heartbeat",
                ]
            )
        finally:
            hello.stop()


def give_jobs_back(**_: Any) -> None:
    """Kill the children of running jobs and put the jobs back; Celery then waits for the threads to end."""
    Attempt.shut_down()
