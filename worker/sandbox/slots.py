"""One number for each run in progress on this host: it names the run's kernel user and its control group."""

import fcntl
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.sandbox.contracts import SandboxUnavailable

SLOTS = 256
# Nobody hands these out: above ordinary users, below the range that systemd takes for its dynamic users (61184).
FIRST_UID = 60706
SHARED = Path("/tmp")  # noqa: S108 - the owner of what is found there is checked


@contextmanager
def taken() -> Iterator[int]:
    """Hold the lowest free number; the kernel gives it back if this process dies."""
    for number in range(SLOTS):
        if _is_a_known_user(uid_of(number)):
            continue
        with held_if_free(number) as held:
            if held:
                yield number
                return
    raise SandboxUnavailable(f"{SLOTS} runs are in progress on this machine already. Wait for one to end.")


@contextmanager
def held_if_free(number: int) -> Iterator[bool]:
    """Hold this number unless a run has it, and say whether it is held now."""
    descriptor = os.open(_folder() / str(number), os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield _lock(descriptor)
    finally:
        os.close(descriptor)


def uid_of(number: int) -> int:
    """Return the kernel user of a run, which no other run on this host has at the same time."""
    return FIRST_UID + number


def _folder() -> Path:
    if os.geteuid() == 0:
        folder = Path("/run/small-models-sandbox")
    else:
        # Not from the environment: all workers of a user must look in the same place.
        own = Path(f"/run/user/{os.geteuid()}")
        folder = (own if own.is_dir() else SHARED) / f"small-models-sandbox-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise SandboxUnavailable(f"{folder} belongs to somebody else. Remove it and start the worker again.")
    return folder


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_a_known_user(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
