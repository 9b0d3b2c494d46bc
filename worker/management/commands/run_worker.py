"""manage.py run_worker: one process that runs jobs in threads, each job's hostile part in a sandboxed child."""

import logging
import os
import signal
import warnings
from types import FrameType
from typing import Any

from celery.exceptions import SecurityWarning
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from kombu.transport.redis import Channel

from portal.config.celery import app
from worker import node, scratch, versions
from worker.attempts import Attempt
from worker.jobs import KINDS
from worker.sandbox import SandboxUnavailable

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Run jobs of the queues in WORKER_QUEUES, WORKER_SLOTS at a time; runs until stopped. "
        "SIGUSR1 lets it end what it runs and take nothing new, SIGUSR2 lets it take jobs again."
    )
    requires_system_checks = ()  # they would load all pages, which a worker never shows

    def handle(self, *args: Any, **options: Any) -> None:
        if skew := versions.skew():
            reason, data = skew
            node.refuse(reason, data)
            raise CommandError(reason % data)
        try:
            abilities = node.capabilities() | {"kinds": list(KINDS)}
        except SandboxUnavailable as error:
            raise CommandError(str(error)) from error
        if abilities["warning"]:
            logger.warning("The sandbox is weaker than it could be: %s", abilities["warning"])
        if abilities["torch"] is None:
            logger.warning("torch is not installed here, so evaluations will fail. Install the extra “worker”.")
        if leftovers := scratch.remove_leftovers():
            logger.info("Removed %s scratch folders of workers that were killed.", leftovers)
        hello = node.Hello(abilities)
        hello.start()
        try:
            serve(hello)
        finally:
            hello.stop()


def serve(hello: node.Hello) -> None:
    """Take jobs until a signal says to stop; those that run then are given back."""

    def listen(**_: Any) -> None:
        signal.signal(signal.SIGUSR1, drain)
        signal.signal(signal.SIGUSR2, drain)

    def drain(number: int, frame: FrameType | None) -> None:
        hello.drain(number == signal.SIGUSR1)

    worker_ready.connect(listen, weak=False)  # Celery has set its own handlers by then
    worker_shutting_down.connect(give_jobs_back)
    # Putting messages back into a Redis that has just gone ended the whole worker; the relay sends them again anyway.
    Channel.do_restore = False
    os.environ["CELERY_SKIP_CHECKS"] = "1"  # Celery would run Django's checks by itself
    # Celery warns root of pickled messages; ours are JSON, and as root each run has a user of its own.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={settings.WORKER_SLOTS}",
            f"--queues={node.queue_of(node.name())}",
            f"--hostname={node.name()}",
            f"--loglevel={logging.getLevelName(logging.getLogger().level)}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


def give_jobs_back(**_: Any) -> None:
    """Kill the children of running jobs and put the jobs back; Celery then waits for the threads to end."""
    Attempt.shut_down()
