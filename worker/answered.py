"""Answers of a run that is not over, kept with the job: the next attempt, wherever it is, answers only the rest.

The file is written by a process that runs a model. It is copied as bytes, within bounds, and read only by the next
such process; see `worker/engine/turns.py`.
"""

import hashlib
import logging
import time
import zlib
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from django.db import DatabaseError, connections

from portal.errors import InvalidInput
from portal.models import LeaseLost
from worker import sandbox
from worker.attempts import Attempt
from worker.engine.contracts import KEPT_FILE

logger = logging.getLogger(__name__)

SAVE_EVERY = 10.0  # seconds: so much work is lost at most
MAX_BYTES = 64 * 1024**2
MAX_PIECES = 9999


class Answered:
    """The answers in the writable folder of a run, and the pieces of them that are saved with the job.

    The first line of the file says of what the answers are. Pieces are named by it, so that those of different work,
    such as on another device, are never put together.
    """

    def __init__(self, attempt: Attempt, folder: Path) -> None:
        self._attempt = attempt
        self._folder = folder
        self._work = ""
        self._pieces = 0
        self._bytes = 0  # of the file, in those pieces
        self._digest = _digest(b"")  # of those bytes
        self._is_full = False
        self._next = time.monotonic() + SAVE_EVERY

    def restore(self) -> None:
        """Put what earlier attempts saved into the folder, before the run: the work that came farthest."""
        saved = self._attempt.saved()
        works = {name.rpartition("-")[0] for name in saved if name.startswith("answers-")}
        farthest = max((_joined(saved, work) for work in works), key=len, default=b"")
        if farthest:
            (self._folder / KEPT_FILE).write_bytes(farthest)
        self._begin(farthest)

    def save(self, *, at_once: bool = False) -> None:
        """Save what has been answered since; called often, it does so every few seconds."""
        if self._is_full or (time.monotonic() < self._next and not at_once):
            return
        self._next = time.monotonic() + SAVE_EVERY
        try:
            content = sandbox.collect(self._folder, KEPT_FILE, MAX_BYTES)
        except sandbox.OutputRefused:
            return  # nothing is answered yet, or what lies there is not ours to keep
        if _work_of(content) != self._work or _digest(content[: self._bytes]) != self._digest:
            self._begin(b"", work=_work_of(content))  # the engine took nothing of it, or not all
        end = content.rfind(b"\n") + 1
        if end > max(self._bytes, len(content.partition(b"\n")[0]) + 1):  # more than the line that names the work
            self._keep(content, end)

    def _begin(self, content: bytes, work: str | None = None) -> None:
        self._work, self._bytes, self._digest = work or _work_of(content), len(content), _digest(content)
        self._pieces = sum(name.startswith(f"{self._work}-") for name in self._attempt.saved()) if content else 0

    def _keep(self, content: bytes, end: int) -> None:
        try:
            self._attempt.save(f"{self._work}-{self._pieces:04d}", zlib.compress(content[self._bytes : end]))
        except InvalidInput:
            self._is_full = True
        except LeaseLost:
            return  # the attempt knows, and stops
        except DatabaseError:
            logger.warning("The answers of job %s could not be kept.", self._attempt.job.pk)
            connections.close_all()
        else:
            self._bytes, self._digest = end, _digest(content[:end])
            self._pieces += 1
            self._is_full = self._pieces > MAX_PIECES


def _work_of(content: bytes) -> str:
    first, _, _ = content.partition(b"\n")
    return f"answers-{hashlib.sha256(first).hexdigest()[:16]}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _joined(saved: Mapping[str, bytes], work: str) -> bytes:
    """Return the pieces of one work put together, up to the first that is missing or damaged."""
    content = b""
    for number in count():
        try:
            packed = saved.get(f"{work}-{number:04d}", b"")
            content += zlib.decompressobj().decompress(packed, MAX_BYTES - len(content) + 1)
        except zlib.error:
            return content
        if not packed or len(content) > MAX_BYTES:
            return content[:MAX_BYTES]
    return content
