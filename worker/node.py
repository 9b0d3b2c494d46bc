"""This worker process: its name, what it can do, and the hello that keeps it listed as online."""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from importlib import metadata
from typing import Any, get_args

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from portal.models import WorkerNode
from worker import sandbox

logger = logging.getLogger(__name__)

HELLO_SECONDS = 15
PROBE_SECONDS = 120
PROBE = """
import json, torch
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
print(json.dumps(names))
"""


def name() -> str:
    """Return a name that no other worker process has at the same time."""
    return f"{socket.gethostname()}-{os.getpid()}"


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
        "memory_mb": _memory_mb(),
        "torch": _version("torch"),
        "gpus": _gpus(),
    }


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    if _version("torch") is None or not (shutil.which("nvidia-smi") or os.path.exists("/dev/nvidiactl")):
        return []
    try:
        asked = subprocess.run(
            [sys.executable, "-I", "-c", PROBE], capture_output=True, timeout=PROBE_SECONDS, check=True
        )
        names = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        logger.warning("The GPUs of this machine could not be listed: %s", error)
        return []
    return [str(found)[:80] for found in names]


class Hello(threading.Thread):
    """Says hello until it is told to stop, and goodbye then."""

    def __init__(self, abilities: dict[str, Any]) -> None:
        super().__init__(name="hello", daemon=True)
        self._over = threading.Event()
        self._abilities = abilities

    def run(self) -> None:
        known = True
        while True:
            try:
                WorkerNode.hello(
                    name(), queues=settings.WORKER_QUEUES, slots=settings.WORKER_SLOTS, capabilities=self._abilities
                )
                known = True
            except DatabaseError as error:
                if known:
                    logger.warning("The database is away, so this worker is not listed: %s", error)
                known = False
                connections.close_all()
            if self._over.wait(HELLO_SECONDS):
                break
        self._say_goodbye()

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
        self.join(timeout=10)
