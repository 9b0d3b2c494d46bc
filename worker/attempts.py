"""One attempt at a job: its lease, its progress and log, and the one place where a reason to stop is decided."""

import logging
import threading
import time
from collections import deque
from datetime import timedelta
from types import TracebackType
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections

from portal.errors import DomainError
from portal.models import Checkpoint, Job, LeaseLost
from portal.models.jobs import MAX_LOG_LINES

logger = logging.getLogger(__name__)

SHOW_EVERY = 0.5  # seconds between two writes of progress
ASK_EVERY = 0.5  # seconds between two looks at whether the job is still wanted: a cancelled one is to end within two
IDLE_SHARE = 0.01  # of a core: whoever uses less is waiting, not working
CANCELLED, LEASE_LOST, SHUTDOWN = "cancelled", "lease_lost", "shutdown"


class JobFailed(DomainError):
    """The job cannot succeed, now or later. The message may name values of `data` as %(name)s."""


class TryAgain(JobFailed):
    """The worker or the machine is at fault: another attempt may well succeed."""


class Stopped(Exception):
    """This attempt has to end without a result: cancelled, taken over, or the worker shuts down."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Attempt:
    """A claimed job while it is worked on. A thread of its own renews the lease, whatever the work is doing."""

    _running: set["Attempt"] = set()
    _shutting_down = threading.Event()

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lease = timedelta(seconds=settings.JOB_LEASE_SECONDS)
        self._why: str | None = None
        self._over = threading.Event()
        self._renewed = time.monotonic()
        self._cpu_seconds = 0.0  # of the sandboxed children of this attempt
        self._cpu_seen = 0.0
        self._work = threading.get_ident()
        self._heartbeat = threading.Thread(target=self._renew_until_over, name=f"lease of job {job.pk}", daemon=True)
        self._progress: tuple[float, str, dict[str, Any]] = (0.0, "", {})
        self._lines: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self._shown = 0.0
        self.is_silent = False  # children of this attempt have seen what nobody may read in a log

    def __enter__(self) -> "Attempt":
        self._running.add(self)
        if self._shutting_down.is_set():
            self.stop(SHUTDOWN)
        self._heartbeat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._heartbeat.join()
        self._running.discard(self)

    @classmethod
    def shut_down(cls) -> None:
        """Stop every attempt of this process, those included that are about to start."""
        cls._shutting_down.set()
        for attempt in list(cls._running):
            attempt.stop(SHUTDOWN)

    @classmethod
    def is_shutting_down(cls) -> bool:
        return cls._shutting_down.is_set()

    def stop(self, why: str) -> None:
        """Note why the attempt has to end; the first reason counts."""
        self._why = self._why or why

    def should_stop(self) -> str | None:
        """Return why the child is to be killed, or None to go on; cheap, asked several times a second."""
        return self._why

    def check(self) -> None:
        """Raise Stopped when there is a reason to end."""
        if self._why:
            raise Stopped(self._why)

    def used(self, cpu_seconds: float) -> None:
        """Note that a child has used processor time since this was said last: it works, although it says nothing."""
        self._cpu_seconds += cpu_seconds

    def save(self, name: str, content: bytes) -> str:
        """Keep a piece of partial work for the next attempt, should this one be lost; returns its digest."""
        try:
            return Checkpoint.save_for(self.job, name, content)
        except LeaseLost:
            self.stop(LEASE_LOST)
            raise

    def saved(self) -> dict[str, bytes]:
        """Return what earlier attempts at this job saved, by name."""
        return Checkpoint.load_for(self.job)

    def report(self, progress: float, message: str, **data: Any) -> None:
        """Show how far the work is, at most twice a second. The message may name values of `data` as %(name)s."""
        self._progress = (progress, message, data)
        if time.monotonic() - self._shown >= SHOW_EVERY:
            self.show()

    def log(self, *texts: str) -> None:
        """Add lines to the job's log; they are written together with the next progress."""
        if not self.is_silent:
            self._lines.extend(texts)

    def show(self) -> None:
        """Write progress and log now. A database that is away is the heartbeat's concern, not the work's."""
        self._shown = time.monotonic()
        try:
            progress, message, data = self._progress
            self.job.report(progress, message, **data)
            while self._lines:
                batch = [self._lines.popleft() for _ in range(min(len(self._lines), 200))]
                self.job.log(*batch)
        except LeaseLost:
            self.stop(LEASE_LOST)
        except DatabaseError:
            logger.warning("The progress of job %s could not be written.", self.job.pk)
            connections.close_all()

    def _renew_until_over(self) -> None:
        """Renew three times in each lease, and ask all the while whether somebody wants the job to stop."""
        asked = self._renewed
        try:
            while not self._over.wait(ASK_EVERY):
                is_due = time.monotonic() - asked >= self.lease.total_seconds() / 3
                if is_due or not self._is_wanted():
                    self._renew()
                    asked = time.monotonic()
        finally:
            connections.close_all()

    def _is_wanted(self) -> bool:
        try:
            return self.job.is_wanted()
        except DatabaseError:
            connections.close_all()
            return True  # whether the lease still holds is for the next renewal to find out

    def _got_on(self) -> bool:
        """Whether the work, in its own thread or in children, has used processor time since this was asked last."""
        total = self._cpu_seconds + _cpu_of(self._work)
        spent, self._cpu_seen = total - self._cpu_seen, total
        return spent > IDLE_SHARE * self.lease.total_seconds() / 3

    def _renew(self) -> None:
        try:
            self.job.renew(self.lease, got_on=self._got_on())
            self._renewed = time.monotonic()
        except LeaseLost:
            asked = Job.objects.filter(pk=self.job.pk, fence=self.job.fence, cancel_requested_at__isnull=False)
            self.stop(CANCELLED if asked.exists() else LEASE_LOST)
        except DatabaseError as error:
            logger.warning("The lease of job %s could not be renewed: %s", self.job.pk, error)
            connections.close_all()
            if time.monotonic() - self._renewed > self.lease.total_seconds():
                self.stop(LEASE_LOST)


def _cpu_of(thread: int) -> float:
    """Return the processor time of a thread of this process."""
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    except OSError:  # it has ended
        return 0.0
