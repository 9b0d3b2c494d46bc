"""Arranged rows and their tokens: what was read, how long it is, and what was cut off."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.rows import MAX_LINE_BYTES
from worker.engine.tuning.objectives.objective import Feature, Row

MAX_ROWS = 1_000_000


def read_rows(path: str, what: str) -> list[Row]:
    """Read lines of {"id", "question", "gold"} as `arrange` writes them."""
    rows: list[Row] = []
    try:
        with Path(path).open("rb") as file:
            while line := file.readline(4 * MAX_LINE_BYTES):
                rows.append(_row(line, len(rows) + 1, what))
                if len(rows) > MAX_ROWS:
                    raise EngineError("bad_data", f"the {what} rows are more than {MAX_ROWS}")
    except OSError as error:
        raise EngineError("bad_data", f"the {what} rows cannot be read: {error.strerror}") from error
    if not rows:
        raise EngineError("bad_data", f"there are no {what} rows")
    return rows


def digest(path: str | None) -> str:
    """Return the digest of a file's bytes."""
    if path is None:
        return ""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lengths_of(features: Sequence[Feature], limit: int) -> dict[str, Any]:
    """Return what a report says of how long rows are, in tokens; those that fill all room were mostly cut."""
    lengths = np.array([feature.length for feature in features])
    return {
        "features": len(features),
        "tokens": int(lengths.sum()),
        **{f"p{share}": int(np.percentile(lengths, share)) for share in (50, 95, 99)},
        "longest": int(lengths.max()),
        "full": int((lengths >= limit).sum()),
    }


def _row(line: bytes, number: int, what: str) -> Row:
    try:
        value = parse_json(line)
    except (ValueError, RecursionError) as error:
        raise EngineError("bad_data", f"line {number} of the {what} rows is not JSON") from error
    if not isinstance(value, dict) or not isinstance(value.get("gold"), dict) or "question" not in value:
        raise EngineError("bad_data", f"line {number} of the {what} rows has no question and gold")
    return Row(value["question"], value["gold"])
