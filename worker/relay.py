"""The relay: tells workers of due jobs, takes jobs from dead workers, delivers events. It holds nothing itself.

Everything it does is read from rows, so it may be killed at any moment, and Redis may lose every message.
"""

import logging
import math
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import chain

from django.db import DatabaseError, connections, transaction
from django.db.models.functions import Now
from kombu import Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from leaderboard.challenges import revealing
from models_hub import downloading, fetching, webhooks
from models_hub.storage import blob_store
from portal import fair_share, needs
from portal.config.celery import app
from portal.models import Duty, Event, IdempotentAnswer, Job, WorkerNode
from portal.models.workers import RELAY
from worker import standing, versions
from worker.board_keeping import BoardKeeping
from worker.consumers import CONSUMERS
from worker.idle import start_wishes
from worker.mailing import Mailing
from worker.node import queue_of
from worker.pushing import Pushing
from worker.reminding import Reminding
from worker.snapshotting import Snapshotting
from worker.upkeep import Upkeep

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0
LONGEST_PAUSE = 15.0
DUTY = timedelta(seconds=15)
RESEND = timedelta(seconds=15)
EVENTS_A_TURN = 200
SWEEP_SECONDS = 3600.0
FORGET_NODES_AFTER = timedelta(hours=1)

OUTAGES = (DatabaseError, OperationalError, RedisError, OSError)


class Relay:
    """One relay process. Several may run; the one that has the duty acts, the others wait for it to fall silent."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self.over = threading.Event()
        self._failing: set[str] = set()
        self._renewed = -math.inf
        self._swept = -SWEEP_SECONDS
        self._upkeep = Upkeep(self.over)
        self._mailing = Mailing(self.over)
        self._pushing = Pushing()
        self._reminding = Reminding()
        self._snapshots = Snapshotting()
        self._boards = BoardKeeping(self.over)

    def run(self) -> None:
        """Act once a second until told to stop; slower and slower while the database is away."""
        pause = TURN_SECONDS
        while not self.over.wait(pause):
            in_order = self._try("take its duty", self.turn)
            if in_order and self._has_duty():
                self._try("begin the upkeep of the store", self._upkeep.begin)
                self._try("send mail", self._mailing.begin)
                self._try("send messages to devices", self._pushing.begin)
                self._try("begin a snapshot for searching", self._snapshots.begin)
                self._try("compute boards", self._boards.begin)
            pause = TURN_SECONDS if in_order else min(pause * 2, LONGEST_PAUSE)
        self._try("leave its duty", lambda: Duty.leave(RELAY, holder=self.name))

    def stop(self) -> None:
        self.over.set()

    def turn(self) -> None:
        """Act once, if this is the relay that has the duty. A part that fails keeps no other part from acting."""
        if not self._has_duty():
            return
        self._try("take jobs from lost workers", expire_leases)
        self._try("end jobs that are stuck", end_stuck_jobs)
        self._try("give idle workers what people voted for", start_wishes)
        self._try("begin and end challenges", revealing.turn)
        self._try("hand jobs to workers", wake_workers)
        self._try("deliver events", deliver_events)
        self._try("remind of bookmarks", self._reminding.turn)
        self._try("look at whom events named", standing.catch_up)
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            self._try("sweep", sweep)
            self._swept = time.monotonic()

    def _has_duty(self) -> bool:
        """Take or renew the duty, a few times in its span: an idle portal need not write every second."""
        if time.monotonic() - self._renewed > DUTY.total_seconds() / 3:
            taken = Duty.take(RELAY, holder=self.name, span=DUTY, facts=versions.of_this_code())
            self._renewed = time.monotonic() if taken else -math.inf
        return self._renewed > -math.inf

    def _try(self, what: str, act: Callable[[], object]) -> bool:
        """Do it; an outage is logged when it begins and when it ends, not every second in between."""
        try:
            act()
        except OUTAGES as error:
            if what not in self._failing:
                logger.warning("The relay cannot %s and will keep trying: %s", what, error)
            self._failing.add(what)
            if isinstance(error, DatabaseError):
                connections.close_all()
            return False
        if what in self._failing:
            logger.info("The relay can %s again.", what)
            self._failing.discard(what)
        return True


def expire_leases() -> None:
    """Take jobs from workers that fell silent."""
    for job in Job.objects.expired():
        if job.expire():
            logger.warning("Job %s was taken from %s, which fell silent.", job.pk, job.worker)


def end_stuck_jobs() -> None:
    """Fail jobs that stand still or run for too long although their worker is alive."""
    for job in Job.objects.held().annotate(now=Now()):
        if job.end_if_stuck(vars(job)["now"]):
            logger.warning("Job %s on %s was ended: %s", job.pk, job.worker, job.kind)


def wake_workers() -> None:
    """Tell workers with a free slot of due jobs that they can do and that nobody was told of, or so long ago
    that the message may be lost.

    A worker that is busy needs no message: whenever it ends a job it takes the next by itself.
    """
    held = Counter(Job.objects.held().values_list("worker", flat=True))
    nodes = list(WorkerNode.objects.taking())
    free = {node.name: node.slots - held[node.name] for node in nodes}
    for queue in sorted({queue for node in nodes for queue in node.queues}):
        able = [node for node in nodes if queue in node.queues and free[node.name] > 0]
        room = sum(free[node.name] for node in able)
        if room:
            _wake(queue, able, room)


def _wake(queue: str, able: Sequence[WorkerNode], room: int) -> None:
    due: dict[int, list[str]] = {}
    for turn in fair_share.line(queue):
        if names := [node.name for node in able if needs.can_do(node, queue, turn.kind, turn.needs)]:
            due[turn.job] = names
        if len(due) == room:
            break
    untold = set(Job.objects.unsent(RESEND).filter(pk__in=due).values_list("pk", flat=True))
    if not untold:
        return
    # The message first: one that is sent twice does no harm, one that is noted and not sent delays the job.
    with app.producer_pool.acquire(block=True) as producer:
        for name in chain.from_iterable(due[job] for job in untold):
            # A queue alone means the nameless exchange, which needs no bindings: those live in Redis and are lost with
            # it. Naming that exchange and a routing key would send all messages to the default queue.
            app.send_task("worker.wake", producer=producer, queue=queue_of(name), retry=False)
    Job.objects.filter(pk__in=untold).update(sent_at=Now())


def deliver_events() -> None:
    """Deliver events in order. A reaction that fails is logged and not repeated: it would hold up all that follow."""
    Event.objects.undelivered().exclude(kind__in=CONSUMERS).update(delivered_at=Now())
    for event in Event.objects.undelivered().select_related("actor")[:EVENTS_A_TURN]:
        try:
            with transaction.atomic():
                for consume in CONSUMERS.get(event.kind, ()):
                    consume(event)
                _note_delivery(event)
        except OUTAGES:
            raise
        except Exception:
            logger.exception("Event %s (%s) could not be delivered.", event.pk, event.kind)
            _note_delivery(event)


def _note_delivery(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(delivered_at=Now())


def sweep() -> None:
    """Remove what interrupted uploads left behind, workers not seen for long, and downloads of days that are over."""
    removed = blob_store().sweep() + fetching.sweep()
    downloading.forget_old()
    IdempotentAnswer.objects.outdated().delete()
    _forget_nodes()
    webhooks.forget_old_deliveries()
    if removed:
        logger.info("Removed %s files of interrupted uploads.", removed)


def _forget_nodes() -> None:
    """Drop workers not seen for long, and the messages that nobody will fetch any more."""
    gone = WorkerNode.objects.filter(seen_at__lt=Now() - FORGET_NODES_AFTER)
    for name in gone.values_list("name", flat=True):
        with app.connection_for_write() as connection:
            Queue(queue_of(name), channel=connection.default_channel).delete()
    gone.delete()
