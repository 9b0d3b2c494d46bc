"""What a training child writes while it runs: its records become rows, its checkpoint is kept for the next attempt.

Both lie in a folder that a process with a hostile model writes to. Records are read as JSON of a known form, the
checkpoint is copied as bytes and only ever read by the next such process.
"""

import hashlib
import json
import logging
import tarfile
import time
from pathlib import Path

from django.db import DatabaseError, connections, transaction

from models_hub import job_contents
from models_hub.adapting import following
from models_hub.models import Run
from models_hub.storage import DiskFull, is_full
from portal.models import Job, LeaseLost
from worker import sandbox, scratch
from worker.attempts import LEASE_LOST, Attempt, TryAgain
from worker.engine.decoding import parse_json
from worker.engine.tuning.contracts import ARITHMETIC, CHECKPOINT_DIR, LOG_FILE

logger = logging.getLogger(__name__)

READ_EVERY = 0.5  # seconds
KEEP_EVERY = 20.0  # seconds between two checkpoints that are kept: so much work is lost at most, and what one takes
MAX_LOG_BYTES = 16 * 1024**2
MAX_LINE_BYTES = 8192
MAX_RECORDS = 2 * following.MAX_POINTS  # of one attempt: a log that is written anew and anew is left alone
MAX_FILES = 32
STATE = "state.json"  # of a checkpoint: written last, so that one without it is not whole


class Followed:
    """The log and the checkpoint in the writable folder of a run."""

    def __init__(self, attempt: Attempt, run: Run, folder: Path, aside: Path, *, max_bytes: int) -> None:
        self._attempt = attempt
        self._run = run
        self._folder = folder
        self._aside = aside
        self._max_bytes = max_bytes
        self._offset = 0
        self._digest = _digest(b"")  # of the bytes before the offset
        self._kept = ""
        self._taken = 0
        self._next_read = self._next_keep = 0.0

    def restore(self) -> None:
        """Put the checkpoint of an earlier attempt, and the log up to it, into the folder before the child starts.

        One of an engine that computes otherwise is left out: the run begins anew.
        """
        blob = self._run.checkpoint
        seq = 0
        if blob is not None:
            packed = self._aside / "restored.tar"
            scratch.place_blob(self._attempt.job, blob, packed)
            try:
                with tarfile.open(packed) as archive:
                    archive.extractall(self._folder, filter="data")
            except (tarfile.TarError, OSError) as error:
                if is_full(error):  # what was learned until then is not given up for want of room
                    raise
                logger.warning("The checkpoint of run %s cannot be unpacked: %s", self._run.pk, error)
            packed.unlink()
            log = self._folder / LOG_FILE
            if not self._is_of_this_engine():
                sandbox.discard(self._folder / CHECKPOINT_DIR)
                log.unlink(missing_ok=True)
            seq = log.read_bytes().count(b"\n") if log.exists() else 0
        following.forget_after(self._run, seq)

    def _is_of_this_engine(self) -> bool:
        try:
            state = sandbox.collect(self._folder / CHECKPOINT_DIR, STATE, MAX_LOG_BYTES).decode("utf-8", "replace")
        except sandbox.OutputRefused:
            return True  # there is none
        return _number(state, "arithmetic", 1) == ARITHMETIC

    def look(self, *, at_once: bool = False) -> bool:
        """Take what is new, and say whether the dev part was among it; called often, it looks twice a second."""
        now = time.monotonic()
        has_score = False
        if now >= self._next_read or at_once:
            self._next_read = now + READ_EVERY
            has_score = self._read()
        if now >= self._next_keep or at_once:
            self._try_to_keep(now)
        return has_score

    def _try_to_keep(self, began: float) -> None:
        """Keep the checkpoint if there is a new one. The training goes on while portal, database or room are away."""
        try:
            is_kept = self._keep()
        except (TryAgain, DatabaseError, DiskFull, OSError) as error:
            logger.warning("The checkpoint of run %s could not be kept: %s", self._run.pk, error)
            connections.close_all()
            is_kept = True  # and tried again as late as if it were
        self._clear_aside()
        # Keeping may take long for a large model: at most a tenth of the time goes into it. The first checkpoint is
        # kept as soon as it is there.
        pause = max(KEEP_EVERY, 9 * (time.monotonic() - began)) if is_kept else READ_EVERY
        self._next_keep = time.monotonic() + pause

    def _read(self) -> bool:
        try:
            content = sandbox.collect(self._folder, LOG_FILE, MAX_LOG_BYTES)
        except sandbox.OutputRefused:
            return False  # nothing is written yet
        if _digest(content[: self._offset]) != self._digest:
            self._offset = 0  # it was cut to where the checkpoint is, and has grown again since
        end = content.rfind(b"\n") + 1
        lines = content[self._offset : end].splitlines() if end > self._offset else []
        records = [record for line in lines if (record := _record(line)) is not None]
        records = records[: max(MAX_RECORDS - self._taken, 0)]
        self._taken += len(records)
        try:
            with transaction.atomic():
                self._require_lease()
                following.keep(self._run, records)
        except LeaseLost:
            self._attempt.stop(LEASE_LOST)
            return False
        except DatabaseError:
            connections.close_all()
            return False  # another look comes
        self._offset, self._digest = end, _digest(content[:end])
        return any(record.get("kind") == "dev" for record in records)

    def _keep(self) -> bool:
        """Store the checkpoint; False where none is new or whole."""
        try:
            state = sandbox.collect(self._folder / CHECKPOINT_DIR, STATE, MAX_LOG_BYTES).decode("utf-8", "replace")
        except sandbox.OutputRefused:
            return False  # there is none yet
        if state == self._kept or not self._pack(state):
            return False
        packed = self._aside / "checkpoint.tar"
        blob = scratch.store(self._attempt.job, packed)
        step = _number(state, "step", 0)
        try:
            with transaction.atomic():
                self._require_lease()
                rows = Run.objects.filter(pk=self._run.pk)
                replaced = rows.exclude(checkpoint=blob).values_list("checkpoint", flat=True).first()
                rows.update(checkpoint=blob, checkpoint_step=step)
                if replaced is not None:
                    job_contents.let_go(replaced)
        except LeaseLost:
            self._attempt.stop(LEASE_LOST)
        self._kept = state
        return True

    def _clear_aside(self) -> None:
        """Take no more room than the training itself, least of all where there was too little."""
        sandbox.discard(self._aside / "checkpoint")
        (self._aside / "checkpoint.tar").unlink(missing_ok=True)

    def _require_lease(self) -> None:
        """Raise LeaseLost when another attempt works on the run: it would find what this one wrote after it began."""
        if not Job.objects.held().filter(pk=self._attempt.job.pk, fence=self._attempt.job.fence).exists():
            raise LeaseLost("")

    def _pack(self, state: str) -> bool:
        """Make one file of the checkpoint and the log; False when the child replaced it meanwhile."""
        copy = self._aside / "checkpoint"
        copy.mkdir()
        try:
            log = sandbox.collect(self._folder, LOG_FILE, MAX_LOG_BYTES)
            sandbox.copy_folder(
                self._folder, CHECKPOINT_DIR, copy / CHECKPOINT_DIR, files=MAX_FILES, limit=self._max_bytes
            )
            same = (copy / CHECKPOINT_DIR / STATE).read_text("utf-8", "replace") == state
        except (sandbox.OutputRefused, OSError):
            return False
        if same:
            (copy / LOG_FILE).write_bytes(log[: log.rfind(b"\n") + 1])
            with tarfile.open(self._aside / "checkpoint.tar", "w") as archive:
                archive.add(copy / LOG_FILE, LOG_FILE)
                archive.add(copy / CHECKPOINT_DIR, CHECKPOINT_DIR)
        return same


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _record(line: bytes) -> dict[str, object] | None:
    try:
        value = parse_json(line[:MAX_LINE_BYTES])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _number(state: str, name: str, usual: int) -> int:
    """Return a number of a checkpoint's state, the usual one where that is none."""
    try:
        value = json.loads(state)[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return usual
    return value if type(value) is int and 0 <= value < 2**31 else usual
