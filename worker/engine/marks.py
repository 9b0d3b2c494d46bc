"""What the scorer knows of rows beside their answers: what they have in common, and which were asked again, changed.

The file is written where the data is read, which is hostile ground, so that it is read with care. No torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.engine.contracts import MAX_SLICE_COLUMNS, EngineError
from worker.engine.decoding import decode, read_json_object
from worker.engine.perturbing.registry import PERTURBATIONS
from worker.engine.perturbing.scripts import script_of
from worker.engine.tasks.task import Value

LIMIT = 256 << 20
MAX_NAME = 100
# Enough to tell the script of a long passage.
READ_CHARACTERS = 4000


@dataclass(frozen=True, kw_only=True)
class Marks:
    """By row: how long its texts are, their script, values of columns. By perturbation: the changed rows."""

    lengths: list[int] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    changed: dict[str, list[int]] = field(default_factory=dict)

    @property
    def questions(self) -> int:
        """How many changed questions there are."""
        return sum(map(len, self.changed.values()))


def of_questions(questions: Sequence[Value]) -> tuple[list[int], list[str]]:
    """Return the characters of each question's texts, and their script."""
    texts = [_texts(question) for question in questions]
    return [sum(map(len, parts)) for parts in texts], [script_of(" ".join(parts)[:READ_CHARACTERS]) for parts in texts]


def named(value: Any) -> str:
    """Return what a value of a column is called on a page: a short line."""
    return " ".join(str(value).split())[:MAX_NAME] or "-"


def read_marks(path: Path, size: int) -> Marks:
    """Read what `prepare` wrote of so many rows."""
    marks = decode(Marks, read_json_object(path, limit=LIMIT, code="bad_gold"), where="marks")
    names = [marks.scripts, *marks.columns.values()]
    fits = all(length in (0, size) for length in (len(marks.lengths), *map(len, names)))
    fits = fits and len(marks.columns) <= MAX_SLICE_COLUMNS
    fits = fits and all(len(name) <= MAX_NAME for values in names for name in values)
    fits = fits and _rising(marks.rows, size) and set(marks.changed) <= set(PERTURBATIONS)
    if not fits or not all(_rising(places, len(marks.rows)) for places in marks.changed.values()):
        raise EngineError("bad_gold", "the marks of the rows do not fit the rows")
    return marks


def _rising(numbers: Sequence[int], end: int) -> bool:
    return all(before < after for before, after in zip((-1, *numbers), (*numbers, end), strict=True))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)]
