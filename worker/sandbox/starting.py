"""Starts a run: a launcher that gives up its rights and becomes bwrap, or the command itself where bwrap cannot be."""

import base64
import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.sandbox import bubblewrap, processes, seccomp, slots
from worker.sandbox.cgroups import Group
from worker.sandbox.contracts import Isolation, Limits, SandboxUnavailable
from worker.sandbox.interpreter import visible

LAUNCHER = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from launcher.main import main; main()"
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
NAME = "sandbox"
# Seconds between the signal that a program may catch and the one that it may not.
CPU_GRACE = 2
LEAST_OPEN_FILES = 32  # what bwrap itself needs
END_SECONDS = 10.0


@dataclass(frozen=True)
class Job:
    """What is to run and what it may touch."""

    command: Sequence[str]
    readonly: Sequence[Path]
    writable: Path
    environment: Mapping[str, str]
    limits: Limits
    devices: Sequence[Path] = ()


class Run:
    """A run in progress; `end` leaves nothing of it."""

    def __init__(
        self, process: subprocess.Popen[bytes], status: int, lifeline: int | None, group: Group | None
    ) -> None:
        self.process = process
        self.status = status
        self.lifeline = lifeline
        self.group = group
        self.first: int | None = None  # of its process namespace: when that is gone, all in it are
        try:
            self.exited = os.pidfd_open(process.pid)
            for descriptor in (self.stdout, self.stderr, status):
                os.set_blocking(descriptor, False)
        except OSError:
            process.kill()
            raise

    @property
    def stdout(self) -> int:
        """Where the run's standard output arrives."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    @property
    def stderr(self) -> int:
        """Where the run's standard error arrives."""
        assert self.process.stderr is not None
        return self.process.stderr.fileno()

    def members(self) -> list[int]:
        """Return the processes of the run, the few that stand around it included."""
        return self.group.members() if self.group else processes.tree(self.process.pid)

    def knows_first(self, pid: int) -> None:
        """Remember the first process of the run; it may be gone already."""
        with suppress(ProcessLookupError):
            self.first = os.pidfd_open(pid)

    def end(self) -> None:
        """Kill what is left and return when it is gone."""
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(END_SECONDS / 2)
        if self.group is not None:
            self.group.kill()
        self._kill_tree()
        if self.first is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)
        self.process.wait(END_SECONDS)
        if self.first is not None and not select.select([self.first], [], [], END_SECONDS)[0]:
            raise RuntimeError("a sandboxed run cannot be ended")

    def close(self) -> None:
        """Give back the descriptors."""
        for descriptor in (self.exited, self.status, self.first):
            if descriptor is not None:
                os.close(descriptor)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _kill_tree(self) -> None:
        # Stopped first, so that it starts no process after its children have been listed.
        with suppress(ProcessLookupError):
            if self.process.poll() is None:
                os.kill(self.process.pid, signal.SIGSTOP)
                for pid in processes.tree(self.process.pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def start(job: Job, isolation: Isolation, *, slot: int, group: Group | None) -> Run:
    """Start a run in the given slot and group."""
    own: list[int] = []
    theirs: list[int] = []
    try:
        status, their_status = _pipe(own, theirs)
        lifeline = None
        plan = _plan(job, isolation, slot, group)
        if isolation.mode == "rlimits":
            their_lifeline, lifeline = _pipe(theirs, own)
            plan["guard"] = {"lifeline": their_lifeline, "status": their_status}
        else:
            plan["command"] = _behind_bwrap(job, isolation, their_status, theirs)
        process = _launch(plan, theirs)
    except BaseException:
        _close(own)
        raise
    finally:
        _close(theirs)
    return Run(process, status, lifeline, group)


def _launch(plan: dict[str, Any], theirs: list[int]) -> subprocess.Popen[bytes]:
    theirs.append(_memory_file(json.dumps(plan).encode()))
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, str(theirs[-1])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={},
        cwd="/",
        pass_fds=theirs,
        start_new_session=True,
    )


def _plan(job: Job, isolation: Isolation, slot: int, group: Group | None) -> dict[str, Any]:
    """Everything that the launcher needs to know; it can import nothing of ours."""
    bare = isolation.mode == "rlimits"
    shown = visible()
    # Without a mount namespace there is no private /tmp.
    temporary = str(job.writable) if bare else "/tmp"  # noqa: S108 - its own
    program = seccomp.program(namespaces=False) if bare else None
    return {
        "parent": os.getpid(),
        "groups": group.members_files if group else [],
        "guard": None,
        "uid": slots.uid_of(slot) if isolation.own_user else None,
        "reveal": {
            "readable": _both_names([*shown.private, *job.readonly]),
            "writable": _both_names([job.writable]),
        },
        "writable": str(job.writable),
        "readable": [str(path) for path in (*shown.paths, *job.readonly, Path("/proc"))],
        "devices": [*DEVICES, *map(str, job.devices)],
        "filter": base64.b64encode(program).decode() if program else "",
        "limits": _resource_limits(job, isolation),
        "directory": str(job.writable) if bare else "/",
        "command": list(job.command),
        "environment": _environment(job, temporary),
    }


def _both_names(paths: Sequence[Path]) -> list[str]:
    """Each path as it was given and, behind links, as it really is: the way to either may be closed."""
    return [name for path in paths for name in dict.fromkeys((str(path), os.path.realpath(path)))]


def _behind_bwrap(job: Job, isolation: Isolation, status: int, theirs: list[int]) -> list[str]:
    bwrap = bubblewrap.program()
    if bwrap is None:
        raise SandboxUnavailable("bubblewrap is gone from this machine. Install it again.")
    filter_fd = None
    if program := seccomp.program(namespaces=True):
        filter_fd = _memory_file(program)
        theirs.append(filter_fd)
    return bubblewrap.command(
        job.command,
        bwrap=bwrap,
        visible=visible(),
        readonly=job.readonly,
        writable=job.writable,
        devices=job.devices,
        limits=job.limits,
        filter_fd=filter_fd,
        status_fd=status,
        # Outside, the processes of all runs of a user are counted together; in the namespace only its own are.
        count_processes=not isolation.own_user,
    )


def _resource_limits(job: Job, isolation: Isolation) -> list[tuple[int, int, int]]:
    megabyte, limits = 1024**2, job.limits
    files = max(limits.open_files, LEAST_OPEN_FILES)
    found = [
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, limits.disk_mb * megabyte, limits.disk_mb * megabyte),
        (resource.RLIMIT_NOFILE, files, files),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + CPU_GRACE),
    ]
    if not isolation.cgroup and not job.devices:
        # Address space is not memory: torch maps much that it never touches, and the driver of a GPU more than any
        # machine has. This is what stops a run that fills memory faster than it can be watched.
        space = (2 * limits.memory_mb + 1024) * megabyte
        found.append((resource.RLIMIT_AS, space, space))
    count = limits.processes + bubblewrap.OWN_PROCESSES
    if isolation.own_user:
        # The control group, where there is one, says afterwards that it refused a process; this limit would not.
        count *= 2 if isolation.cgroup else 1
        found.append((resource.RLIMIT_NPROC, count, count))
    elif isolation.mode == "rlimits":
        count += processes.tasks_of_user(os.getuid())
        found.append((resource.RLIMIT_NPROC, count, count))
    return found


def _environment(job: Job, temporary: str) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(job.writable),
        "TMPDIR": temporary,
        # torch asks for a name, and the user that is running has none.
        "USER": NAME,
        "LOGNAME": NAME,
        **job.environment,
    }


def _pipe(readers: list[int], writers: list[int]) -> tuple[int, int]:
    reader, writer = os.pipe()
    readers.append(reader)
    writers.append(writer)
    return reader, writer


def _memory_file(data: bytes) -> int:
    descriptor = os.memfd_create(NAME)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
