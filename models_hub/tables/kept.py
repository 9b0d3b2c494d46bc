"""The tables that were read, as files named by the digest of what they were made of; the least used ones go first."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from models_hub.tables.child.writing import FORMAT

SUFFIX = ".rows"
UNUSED_SECONDS = 30 * 24 * 3600
TOUCH_SECONDS = 3600
LEFT_SECONDS = 24 * 3600  # after which the folder of a reading is of one that was killed
LOOK_SECONDS = 0.1


def key_of(parts: Any) -> str:
    """Return the name under which the table made of these files, read in this way, is kept."""
    return hashlib.sha256(json.dumps([FORMAT, parts]).encode()).hexdigest()


def folder() -> Path:
    path = Path(settings.DATA_DIR) / "tables"
    path.mkdir(parents=True, exist_ok=True)
    return path


def find(key: str) -> Path | None:
    """Return the kept table, noting that somebody uses it."""
    path = folder() / f"{key}{SUFFIX}"
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > TOUCH_SECONDS:
            os.utime(path)
        return path
    return None


def keep(key: str, made: Path) -> Path:
    """Keep a table that was just made, and let go of others for it when there is no room."""
    path = folder() / f"{key}{SUFFIX}"
    os.replace(made, path)
    tidy(spare=path)
    return path


def tidy(spare: Path | None = None) -> int:
    """Remove tables that nobody used for a month, then the least used beyond the limit; returns how many."""
    removed, total = 0, 0
    aged = sorted(_files(), key=lambda found: -found[1].st_mtime)
    for path, status in aged:
        total += status.st_size
        is_old = time.time() - status.st_mtime > UNUSED_SECONDS
        if path != spare and (is_old or total > settings.TABLES_MB * 1024**2):
            path.unlink(missing_ok=True)
            total -= status.st_size
            removed += 1
    for left in (*folder().glob("making-*"), *folder().glob("*.lock")):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    return removed


def _files() -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder().glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):
            yield path, path.stat()


@contextmanager
def alone(key: str, patience: float) -> Iterator[bool]:
    """Give whether this process may make the table now: of several only one makes it, the others wait."""
    deadline = time.monotonic() + patience
    with (folder() / f"{key}.lock").open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    yield False
                    return
                time.sleep(LOOK_SECONDS)
            else:
                yield True
                return


@contextmanager
def workplace() -> Iterator[Path]:
    """Give an empty folder on the disk of the kept tables, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="making-", dir=folder()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
