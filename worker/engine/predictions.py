"""The predictions file: written in the sandbox, read outside it as hostile."""

import hashlib
import json
import math
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.rows import write_lines

SCORE_DIGITS = 6
ROW_OVERHEAD_BYTES = 4096
# Six digits each: what rounding may move one probability by, with room for the last float digit.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answered to one question: the label and a probability for each label."""

    id: str
    label: str
    scores: dict[str, float]


def digest_of(predictions: Iterable[Prediction]) -> str:
    """Return the sha256 over ids and labels.

    Probabilities are left out on purpose. Another batch shape, thread count or CPU adds up the same numbers in
    another order and moves a float32 probability by about 1e-7. Rounding does not cure that: whatever the number
    of digits, some of thousands of scores lie on a rounding border (at four digits about one in five hundred).
    A label only moves when two labels are tied to seven digits.
    """
    digest = hashlib.sha256()
    for row in predictions:
        digest.update(json.dumps([row.id, row.label], separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write one JSON line a prediction, probabilities rounded to six digits."""
    write_lines(path, (_record(row) for row in predictions))


def read_predictions(path: Path, ids: Sequence[str], labels: Sequence[str]) -> list[Prediction]:
    """Read predictions that a hostile process may have written: one proper row for each id, in order."""
    raw = _read_bounded(path, limit=_limit(ids, labels))
    lines = raw.removesuffix(b"\n").split(b"\n")
    if len(lines) != len(ids):
        raise _bad(f"{len(ids)} rows are needed, {len(lines)} are given")
    return [
        _parsed(line, expected, labels, number)
        for number, (line, expected) in enumerate(zip(lines, ids, strict=True), start=1)
    ]


def _record(row: Prediction) -> dict[str, Any]:
    scores = {label: round(score, SCORE_DIGITS) for label, score in row.scores.items()}
    return {"id": row.id, "label": row.label, "scores": scores}


def _limit(ids: Sequence[str], labels: Sequence[str]) -> int:
    # An escaped character takes at most 12 bytes of JSON; a probability fits in 32.
    row = 12 * sum(len(label) for label in labels) + 32 * len(labels) + ROW_OVERHEAD_BYTES
    return row * len(ids)


def _read_bounded(path: Path, *, limit: int) -> bytes:
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


def _parsed(line: bytes, expected: str, labels: Sequence[str], number: int) -> Prediction:
    try:
        record = parse_json(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _bad(f"row {number} is not JSON") from error
    if not isinstance(record, dict) or set(record) != {"id", "label", "scores"}:
        raise _bad(f"row {number} must have exactly id, label and scores")
    if record["id"] != expected:
        raise _bad(f"row {number} has not the id that was asked for")
    if not isinstance(record["label"], str) or record["label"] not in labels:
        raise _bad(f"row {number} has a label that the benchmark does not know")
    scores = _scores(record["scores"], labels, number)
    if scores[record["label"]] < max(scores.values()) - ROUNDING:
        raise _bad(f"row {number} has a label that is not the one with the highest score")
    return Prediction(expected, record["label"], scores)


def _scores(value: Any, labels: Sequence[str], number: int) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) != set(labels):
        raise _bad(f"row {number} must have one score for each label")
    for score in value.values():
        # bool passes isinstance(..., int), and 1e999 parses to infinity without being a named constant.
        if type(score) not in (int, float) or not math.isfinite(score) or not 0 <= score <= 1:
            raise _bad(f"row {number} has a score that is not a number from 0 to 1")
    if abs(sum(value.values()) - 1) > ROUNDING * max(10, len(labels)):
        raise _bad(f"row {number} has scores that do not add up to 1")
    return {label: float(value[label]) for label in labels}


def _bad(what: str) -> EngineError:
    return EngineError("bad_predictions", f"the predictions cannot be used: {what}")
