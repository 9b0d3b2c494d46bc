"""The predictions file: written in the sandbox, read outside it as hostile."""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.rows import write_lines
from worker.engine.tasks.task import Task, Value

ID_BYTES = 12 * 256 + 64


def digest_of(task: Task[Any], ids: Iterable[str], predictions: Iterable[Value]) -> str:
    """Return the sha256 over ids and what of each answer does not move.

    Probabilities are left out on purpose. Another batch shape, thread count or CPU adds up the same numbers in
    another order and moves a float32 probability by about 1e-7. Rounding does not cure that: whatever the number
    of digits, some of thousands of scores lie on a rounding border (at four digits about one in five hundred).
    A label only moves when two labels are tied to seven digits.
    """
    digest = hashlib.sha256()
    for identity, prediction in zip(ids, predictions, strict=True):
        digest.update(json.dumps([identity, task.digest_part(prediction)], separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def write_predictions(path: Path, ids: Sequence[str], predictions: Sequence[Value]) -> None:
    """Write one JSON line a prediction."""
    write_lines(path, ({"id": identity, **value} for identity, value in zip(ids, predictions, strict=True)))


def read_predictions(path: Path, task: Task[Any], golds: dict[str, Value], settings: Any) -> list[Value]:
    """Read predictions that a hostile process may have written: one proper row for each answer, in order."""
    raw = read_bounded(path, limit=(task.max_row_bytes(settings) + ID_BYTES) * len(golds))
    lines = raw.removesuffix(b"\n").split(b"\n")
    if len(lines) != len(golds):
        raise _bad(f"{len(golds)} rows are needed, {len(lines)} are given")
    found = []
    for number, (line, (identity, gold)) in enumerate(zip(lines, golds.items(), strict=True), start=1):
        value = read_row(line, identity, number)
        try:
            found.append(task.check(value, gold, settings))
        except EngineError as error:
            raise _bad(f"row {number} {error.message}") from error
    return found


def read_bounded(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a file that a sandbox left, if it is a plain one and no larger than that."""
    # O_NOFOLLOW: the sandbox may have left a symlink to a file that only the scorer may read. O_NONBLOCK: or a pipe.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _bad(f"the file cannot be opened ({error.strerror})") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _bad("it is not a regular file")
        if status.st_size > limit:
            raise _bad(f"the file is larger than {limit} bytes")
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise _bad(f"the file is larger than {limit} bytes")
    return raw


def read_row(line: bytes, expected: str, number: int) -> Value:
    """Return one prediction without its id, which must be the one that was asked for."""
    try:
        record = parse_json(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _bad(f"row {number} is not JSON") from error
    if not isinstance(record, dict) or record.get("id") != expected:
        raise _bad(f"row {number} has not the id that was asked for")
    del record["id"]
    return record


def _bad(what: str) -> EngineError:
    return EngineError("bad_predictions", f"the predictions cannot be used: {what}")
