"""What other models made of the training rows: read as hostile, since a process that runs models wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.records import is_encodable
from worker.engine.rows import MAX_LINE_BYTES
from worker.engine.tuning.objectives.objective import Row

# A text comes back at most so many times as long, and some characters more.
MOST_TIMES, MORE = 4, 200
MAX_GAPS, MAX_WORDS, MAX_WORD = 8, 10, 200

Gap = tuple[int, int, list[str]]  # from, to, what may stand there; of tagged words a place, the next, and words


@dataclass(frozen=True)
class Rewritten:
    """What was made of one row, by its fields; "tokens" is the field of words with tags."""

    words: dict[str, list[Gap]] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)


def read(path: str, rows: Sequence[Row]) -> dict[int, Rewritten]:
    """Return what was made of the rows, by their numbers; what does not fit a row is left out."""
    found: dict[int, Rewritten] = {}
    with Path(path).open("rb") as file:
        while line := file.readline(4 * MAX_LINE_BYTES):
            try:
                value = parse_json(line)
            except (ValueError, RecursionError) as error:
                raise EngineError("bad_data", "what other models made of the rows is not JSON") from error
            number = value.get("row") if isinstance(value, dict) else None
            if type(number) is int and 0 <= number < len(rows):
                found[number] = _fitting(value, rows[number].question)
    return found


def _fitting(value: dict[str, Any], question: dict[str, Any]) -> Rewritten:
    words, back = value.get("words"), value.get("back")
    gaps = {
        name: [
            (at, end, list(others)) for at, end, others in map(tuple, listed) if _is_gap(at, end, others, name, whole)
        ]
        for name, listed in (words.items() if isinstance(words, dict) else ())
        if (whole := question.get(name)) is not None and _are_triples(listed)
    }
    texts = {
        name: text
        for name, text in (back.items() if isinstance(back, dict) else ())
        if isinstance(question.get(name), str) and _is_text(text, MOST_TIMES * len(question[name]) + MORE)
    }
    return Rewritten(words=gaps, back=texts)


def _are_triples(listed: Any) -> bool:
    return (
        isinstance(listed, list)
        and len(listed) <= MAX_GAPS
        and all(isinstance(one, list) and len(one) == 3 for one in listed)
    )


def _is_gap(at: Any, end: Any, others: Any, name: str, whole: Any) -> bool:
    return (
        type(at) is int
        and type(end) is int
        and 0 <= at < end <= len(whole)
        and (name != "tokens" or end == at + 1)
        and isinstance(others, list)
        and 1 <= len(others) <= MAX_WORDS
        and all(_is_text(word, MAX_WORD) for word in others)
    )


def _is_text(text: Any, most: int) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= most and is_encodable(text)
