"""What a model answered to each row, with what each answer was worth, as lines of a table: read a block at a time."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from leaderboard.models import Evaluation
from leaderboard.sheets import cell
from models_hub import contents

# A table of all per-example numbers is held at once; above this size it is left out, and the answers come alone.
MAX_ITEMS_BYTES = 64_000_000
RIGHT = ("accuracy", "exact_match", "subset_accuracy", "sentence_accuracy", "acc", "acc_at_1")
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def lines(evaluation: Evaluation, form: str) -> Iterator[bytes]:
    """Yield the rows as CSV or JSON lines: id, prediction, confidence, right or not, and each number of the row."""
    numbers = _numbers(evaluation)
    # Only where each row is either right or wrong.
    right = next((numbers[name] for name in RIGHT if name in numbers), None)
    rows = (_row(answer, place, right, numbers) for place, answer in enumerate(_answers(evaluation)))
    if form == "jsonl":
        for row in rows:
            yield json.dumps(row, ensure_ascii=False).encode() + b"\n"
        return
    columns = ["id", "prediction", "confidence", *(["is_right"] if right else []), *numbers]
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([cell(row.get(column)) for column in columns])


def _row(answer: dict[str, Any], place: int, right: list[Any] | None, numbers: dict[str, list[Any]]) -> dict[str, Any]:
    identity = answer.pop("id", str(place))
    label, scores = answer.get("label"), answer.get("scores")
    confidence = scores.get(label) if isinstance(scores, dict) and isinstance(label, str) else None
    return {
        "id": identity,
        "prediction": _prediction(answer),
        "confidence": confidence if isinstance(confidence, int | float) else None,
        **({"is_right": bool(right[place])} if right and place < len(right) else {}),
        **{name: values[place] for name, values in numbers.items() if place < len(values)},
    }


def _prediction(answer: dict[str, Any]) -> Any:
    """Return the answer itself where it has a name of its own, else all that was written of it."""
    named = (answer[name] for name in ("label", "labels", "text", "value", "similarity", "tags") if name in answer)
    return next(named, answer)


def _answers(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    assert evaluation.predictions is not None  # finished evaluations have them
    kept = b""
    for block in contents.stream(evaluation.predictions):
        *whole, kept = (kept + block).split(b"\n")
        yield from (_object(line) for line in whole if line.strip())
    if kept.strip():
        yield _object(kept)


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    return value if isinstance(value, dict) else {}


def _numbers(evaluation: Evaluation) -> dict[str, list[Any]]:
    blob = evaluation.items
    if blob is None or blob.size > MAX_ITEMS_BYTES:
        return {}
    found: dict[str, list[Any]] = json.loads(b"".join(contents.stream(blob)))["metrics"]
    return found


def _csv_line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode("utf-8", "replace")
