"""Follows a run to its end: passes on its output, holds it to its limits and says why it was ended."""

import json
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from worker.sandbox import folders, processes, slots
from worker.sandbox.bubblewrap import OWN_PROCESSES
from worker.sandbox.cgroups import Group, find, of_slot
from worker.sandbox.contracts import LAUNCH_FAILED, Isolation, Outcome, SandboxUnavailable
from worker.sandbox.output import CHUNK, Lines, Tail, read
from worker.sandbox.starting import Job, Run, start

CHECK_SECONDS = 0.2
# Measuring a folder may take long when it is hostile; it gets at most this share of the time.
DISK_SHARE = 0.2
# A pause after each chunk holds the worker's own cost down when a run floods: 3 MB a second.
PAUSE_SECONDS = 0.02
SIGNAL_BASE = 128


def execute(
    job: Job,
    isolation: Isolation,
    *,
    on_line: Callable[[str], None],
    should_stop: Callable[[], str | None],
    on_cpu: Callable[[float], None] | None = None,
    stderr_limit: int,
) -> Outcome:
    """Run a job behind the given walls and return when nothing of it is left."""
    with slots.taken() as slot:
        if isolation.own_user:
            folders.hand_over(job.writable, slots.uid_of(slot))
        group = _group(job, slot) if isolation.cgroup else None
        try:
            run = start(job, isolation, slot=slot, group=group)
            watch = Watch(run, job, isolation, Lines(on_line), Tail(stderr_limit), should_stop, on_cpu)
            try:
                return watch.outcome()
            finally:
                run.end()
                run.close()
        finally:
            if group is not None:
                group.remove()


def _group(job: Job, slot: int) -> Group:
    places = find()
    if places is None:
        raise SandboxUnavailable("The control groups of this machine are no longer writable. Start the worker again.")
    group = of_slot(places, slot)
    group.make(job.limits, extra_processes=OWN_PROCESSES)
    return group


class Watch:
    """One run being watched."""

    def __init__(
        self,
        run: Run,
        job: Job,
        isolation: Isolation,
        lines: Lines,
        tail: Tail,
        should_stop: Callable[[], str | None],
        on_cpu: Callable[[float], None] | None,
    ) -> None:
        self.run = run
        self.job = job
        self.limits = job.limits
        self.isolation = isolation
        self.lines = lines
        self.tail = tail
        self.should_stop = should_stop
        self.on_cpu = on_cpu
        self.started = time.monotonic()
        self.status = b""
        self.facts: dict[str, object] = {}
        self.unpaused = 0
        self.cpu_seconds = 0.0
        self.peak: int | None = None
        self.next_disk_check = self.started

    def outcome(self) -> Outcome:
        """Watch until the run ends or has to be ended."""
        reason = self._follow()
        seconds = time.monotonic() - self.started
        # It may name the first process only now; without that nobody could wait for the others.
        self._take(self.run.status, self._note)
        self.run.end()
        self._drain()
        if reason is None:
            self.lines.close()
        returncode = self._returncode(killed=reason is not None)
        if reason is None and returncode != LAUNCH_FAILED:
            reason = self._seen_afterwards(returncode)
        return Outcome(returncode, reason, seconds, self.peak, self.tail.text)

    def _follow(self) -> str | None:
        """Return why the run has to be ended, None when it ended by itself."""
        with selectors.DefaultSelector() as selector:
            for source, take in self._sources():
                selector.register(source, selectors.EVENT_READ, take)
            selector.register(self.run.exited, selectors.EVENT_READ, None)
            next_check = 0.0
            while True:
                if time.monotonic() >= next_check:
                    if reason := self._why_end():
                        return reason
                    next_check = time.monotonic() + CHECK_SECONDS
                for key, _ in selector.select(max(next_check - time.monotonic(), 0)):
                    if key.data is None:
                        return None
                    if self._take(key.fileobj, key.data) == b"":
                        selector.unregister(key.fileobj)

    def _sources(self) -> list[tuple[int, Callable[[bytes], None]]]:
        run = self.run
        return [(run.stdout, self.lines.feed), (run.stderr, self.tail.feed), (run.status, self._note)]

    def _take(self, source: object, take: Callable[[bytes], None]) -> bytes | None:
        assert isinstance(source, int)
        data = read(source)
        if data:
            take(data)
            self.unpaused += len(data)
        if self.unpaused >= CHUNK:
            self.unpaused = 0
            time.sleep(PAUSE_SECONDS)
        return data

    def _drain(self) -> None:
        for source, take in self._sources():
            while self._take(source, take):
                continue

    def _note(self, data: bytes) -> None:
        *documents, self.status = (self.status + data).split(b"\n")
        for document in documents:
            with suppress(ValueError):
                self.facts |= json.loads(document)
        pid = self.facts.get("child-pid")
        if isinstance(pid, int) and self.run.first is None:
            self.run.knows_first(pid)

    def _why_end(self) -> str | None:
        if stopped := self.should_stop():
            return f"stopped:{stopped}"
        if time.monotonic() - self.started > self.limits.wall_seconds:
            return "wall_time"
        return self._overuse() or self._overfull()

    def _overuse(self) -> str | None:
        group = self.run.group
        used = processes.used(self.run.members())
        if used.resident_bytes:
            self.peak = max(self.peak or 0, used.resident_bytes)
        cpu = group.cpu_seconds() if group else None
        before, self.cpu_seconds = self.cpu_seconds, max(self.cpu_seconds, used.cpu_seconds if cpu is None else cpu)
        if self.on_cpu:
            self.on_cpu(self.cpu_seconds - before)
        if self.cpu_seconds >= self.limits.cpu_seconds:
            return "cpu_time"
        if group is not None:
            return "memory" if group.ran_out_of_memory() else None
        if used.memory_bytes > self.limits.memory_mb * 1024**2:
            return "memory"
        # bwrap's two processes or the guard come on top.
        return "processes" if used.tasks > self.limits.processes + OWN_PROCESSES else None

    def _overfull(self) -> str | None:
        began = time.monotonic()
        if began < self.next_disk_check:
            return None
        hidden = processes.hidden_bytes(self.run.members())
        full = self._stored() + hidden >= self._disk_bytes
        self.next_disk_check = time.monotonic() + (time.monotonic() - began) / DISK_SHARE
        return "disk" if full else None

    @property
    def _disk_bytes(self) -> int:
        return self.limits.disk_mb * 1024**2

    def _stored(self) -> int:
        return folders.size(self.job.writable, stop_at=self._disk_bytes)

    def _returncode(self, *, killed: bool) -> int:
        code = self.facts.get("exit-code")
        if "failed" in self.facts or (code is None and not killed and self.run.process.returncode > 0):
            return LAUNCH_FAILED
        if not isinstance(code, int):
            return -signal.SIGKILL if killed else self.run.process.returncode
        if code == LAUNCH_FAILED:
            return 1  # The command's own; that number means something else here.
        return code if code <= SIGNAL_BASE else SIGNAL_BASE - code

    def _seen_afterwards(self, returncode: int) -> str | None:
        group = self.run.group
        if group is not None and group.ran_out_of_memory():
            return "memory"
        cpu = (group.cpu_seconds() if group else None) or self.cpu_seconds
        if cpu >= self.limits.cpu_seconds or returncode == -signal.SIGXCPU:
            return "cpu_time"
        if returncode == -signal.SIGXFSZ or self._stored() >= self._disk_bytes:
            return "disk"
        if returncode != 0 and group is not None and group.refused_processes():
            return "processes"
        return None
