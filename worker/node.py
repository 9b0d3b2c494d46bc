"""This worker process: its name, what it can do, and the hello that keeps it listed as online."""

import json
import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from portal.models import WorkerNode
from worker import sandbox, versions
from worker.sandbox.contracts import Limits

logger = logging.getLogger(__name__)

HELLO_SECONDS = 15
PROBE_SECONDS = 120
PROBE = """
import json, torch
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
for number in range(count):
    torch.ones(8, 8, device=f"cuda:{number}").sum().item()
found = [torch.cuda.get_device_properties(number) for number in range(count)]
print(json.dumps([{"name": gpu.name, "memory_mb": gpu.total_memory // 1024**2} for gpu in found]))
"""
PROBE_LIMITS = Limits(
    memory_mb=8192, cpu_seconds=PROBE_SECONDS, wall_seconds=PROBE_SECONDS, processes=256, disk_mb=256, open_files=1024
)
# Set while this process was told by a signal to take nothing new; its row says so too, as soon as that is written.
_draining = threading.Event()


def name() -> str:
    """Return a name that no other worker process has at the same time."""
    return f"{socket.gethostname()}-{os.getpid()}"


def queue_of(name: str) -> str:
    """Return the queue of messages of one worker, on which it is woken."""
    return f"worker.{name}"


def takes_jobs() -> bool:
    """Whether this worker may take another job: nobody drains it, and it is of the portal's version."""
    if _draining.is_set():
        return False
    own = WorkerNode.objects.filter(name=name()).values_list("draining", "refusal").first()
    return own is None or own == (False, "")


def stated_capabilities() -> dict[str, Any]:
    """Return what this worker has said of itself."""
    stated: dict[str, Any] | None = (
        WorkerNode.objects.filter(name=name()).values_list("capabilities", flat=True).first()
    )
    return stated or {}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def threads_per_job() -> int:
    """Return the threads of one job: more threads than cores make all jobs many times slower."""
    return max(1, cores() // max(1, settings.WORKER_SLOTS))


def policy() -> sandbox.Policy:
    """Return how much isolation this installation insists on."""
    known: tuple[sandbox.Policy, ...] = get_args(sandbox.Policy)
    for policy in known:
        if policy == settings.SANDBOX:
            return policy
    raise ImproperlyConfigured(f"SANDBOX must be one of {', '.join(known)}, not {settings.SANDBOX!r}.")


def capabilities() -> dict[str, Any]:
    """Return what this worker can do. torch is asked in a child: the worker itself never loads it."""
    isolation = sandbox.detect(policy())
    return {
        "isolation": isolation.mode,
        "in_force": list(isolation.in_force),
        "warning": isolation.warning,
        "cores": cores(),
        "memory_mb": min(settings.JOB_MEMORY_MB, _memory_mb() // max(1, settings.WORKER_SLOTS)),  # of one job
        "machine_memory_mb": _memory_mb(),
        "gpus": _gpus(),
        "store": not settings.PORTAL_URL,
        "torch": _version("torch"),
        **versions.of_this_code(),
    }


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def gpu_count() -> int:
    """Return how many GPUs of this worker were seen to work inside a sandbox."""
    return len(stated_capabilities().get("gpus") or [])


def _gpus() -> list[dict[str, Any]]:
    """Return the GPUs that a run can use: torch is asked behind the walls, where a driver may not work."""
    files = sandbox.gpu_files() if settings.WORKER_GPU else []
    if _version("torch") is None or not files:
        return []
    lines: list[str] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            outcome = sandbox.run(
                [sys.executable, "-I", "-c", PROBE],
                readonly=[],
                writable=Path(folder),
                limits=PROBE_LIMITS,
                on_line=lines.append,
                should_stop=lambda: None,
                devices=files,
                policy=policy(),
            )
        found = json.loads(lines[-1]) if lines else []
    except (OSError, sandbox.SandboxUnavailable, ValueError) as error:
        logger.warning("The GPUs of this machine could not be listed: %s", error)
        return []
    if not found:
        logger.warning("No GPU of this machine works inside a sandbox, so jobs run without: %s", outcome.stderr_tail)
    return [{"name": str(gpu["name"])[:80], "memory_mb": int(gpu["memory_mb"])} for gpu in found]


def refuse(reason: str, data: Mapping[str, str]) -> None:
    """Leave a row that shows on the page of workers that one of this host was turned away."""
    WorkerNode.hello(
        socket.gethostname(), queues=[], slots=0, capabilities=dict(versions.of_this_code()),
        refusal=reason, refusal_data=data,
    )  # fmt: skip


class Hello(threading.Thread):
    """Says hello until it is told to stop, and goodbye then."""

    def __init__(self, abilities: dict[str, Any]) -> None:
        super().__init__(name="hello", daemon=True)
        self._over = threading.Event()
        self._news = threading.Event()
        self._wish: bool | None = None
        self._abilities = abilities
        self._refusal = ""

    def drain(self, draining: bool) -> None:
        """Take nothing new from now on, or take jobs again; for handlers of signals, so it only leaves word."""
        _draining.set() if draining else _draining.clear()
        self._wish = draining
        self._news.set()

    def run(self) -> None:
        known = True
        while True:
            self._news.clear()
            try:
                self._say_hello()
                known = True
            except DatabaseError as error:
                if known:
                    logger.warning("The database is away, so this worker is not listed: %s", error)
                known = False
                connections.close_all()
            self._news.wait(HELLO_SECONDS)
            if self._over.is_set():
                break
        self._say_goodbye()

    def _say_hello(self) -> None:
        reason, data = versions.skew() or ("", {})
        if reason != self._refusal:
            logger.warning("%s", reason % data if reason else "This worker fits the portal again.")
            self._refusal = reason
        WorkerNode.hello(
            name(), queues=settings.WORKER_QUEUES, slots=settings.WORKER_SLOTS, capabilities=self._abilities,
            refusal=reason, refusal_data=data,
        )  # fmt: skip
        if self._wish is not None:
            WorkerNode.objects.get(name=name()).drain(by=None, draining=self._wish)
            logger.info("This worker %s.", "takes no more jobs" if self._wish else "takes jobs again")
            self._wish = None

    def _say_goodbye(self) -> None:
        try:
            WorkerNode.goodbye(name())
        except DatabaseError:
            logger.warning("The database is away; this worker will be listed as online for a little longer.")
        finally:
            connections.close_all()

    def stop(self) -> None:
        """Say goodbye and end."""
        self._over.set()
        self._news.set()
        self.join(timeout=10)
