"""Training data as people have it: lines of files to rows of a task, with labels found and bad lines counted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from worker.engine.contracts import MAX_LABELS, EngineError
from worker.engine.decoding import parse_json
from worker.engine.measures.entities import OUTSIDE
from worker.engine.perturbing.scripts import script_of
from worker.engine.records import Record
from worker.engine.rows import records_in, sniff
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning import learning_rows
from worker.engine.tuning.contracts import ArrangeSpec

MAX_TRAIN_ROWS = 500_000
LABEL_ROLE = "target"
# Labels of these are lists.
SEVERAL = ("multi-label-classification", "token-classification")
# Of measures that count words between spaces, for Chinese, which has none: a whole sentence would be one word.
BY_CHARACTERS = {"bleu_tokenization": "zh", "rouge_tokenization": "zh", "rules": "cmrc"}
LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a task and where it stands."""

    part: str
    number: int
    question: Value
    gold: Value


@dataclass(kw_only=True)
class Part:
    """One file of rows, as far as it can be used."""

    name: str
    lines: list[Line] = field(default_factory=list)
    read: int = 0
    # Numbers of lines that are left out, by why.
    skipped: dict[str, list[int]] = field(default_factory=dict)
    # The first message of each kind.
    messages: dict[str, str] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def skip(self, why: str, number: int, message: str = "") -> None:
        """Leave a line out."""
        self.skipped.setdefault(why, []).append(number)
        self.messages.setdefault(why, message[:300])


@dataclass(kw_only=True)
class Source:
    """The files of a spec, read for their task."""

    spec: ArrangeSpec
    task: Task[Any]
    columns: Mapping[str, str]
    settings: dict[str, Any]
    seen_columns: list[str]
    found_labels: bool
    parts: dict[str, Part]


def read_source(spec: ArrangeSpec, task: Task[Any]) -> Source:
    """Read every file; labels that the settings leave out are those of the training rows.

    So is what measures count: characters where most answers are Chinese.
    """
    columns = learning_rows.columns_of(task, spec.fields, _first_row(spec.files["train"]))
    raw = {part: list(_raw(path, columns)) for part, path in spec.files.items()}
    seen = _columns_seen(spec.files["train"])
    required = [column for role, column in columns.items() if task.roles[role].required or role in spec.fields]
    if absent := [column for column in required if column not in seen]:
        raise EngineError(
            "bad_data",
            f"the training file has no column {', '.join(absent)[:200]}; its columns are: {', '.join(seen)[:500]}. "
            "Name the right ones in fields.",
        )
    settings = dict(spec.settings)
    finds = _has_labels(task) and not settings.get("labels")
    if finds:
        raw = {part: [(n, _with_plain_labels(row, task, columns)) for n, row in rows] for part, rows in raw.items()}
        settings["labels"] = _labels_in((row for _number, row in raw["train"]), task, columns)
    checked = task.settings(settings)
    parts = {name: _part(name, rows, task, checked, columns) for name, rows in raw.items()}
    if are_chinese(parts["train"].lines):
        known = {one.name for one in fields(task.settings_type)}
        settings = {name: value for name, value in BY_CHARACTERS.items() if name in known} | settings
    return Source(
        spec=spec, task=task, columns=columns, settings=settings, seen_columns=seen, found_labels=finds, parts=parts
    )


def are_chinese(lines: Sequence[Line]) -> bool:
    """Say whether most answers that are texts are Chinese."""
    answers = [line.gold["answers"][0] for line in lines[:LOOKED_AT] if line.gold.get("answers")]
    return sum(script_of(answer) == "han" for answer in answers) * 2 > len(answers)


def _raw(path: str, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any] | EngineError]]:
    """Yield lines with the columns that count, and errors in place of lines that cannot be read."""
    place = Path(path)
    broken: list[tuple[int, dict[str, Any] | EngineError]] = []
    wanted = set(columns.values())
    lines = records_in(place, sniff(place), lambda number, error: broken.append((number, error)))
    for index, (number, record) in enumerate(lines):
        yield from broken
        broken.clear()
        if index >= MAX_TRAIN_ROWS:
            raise EngineError("bad_data", f"the file has more than {MAX_TRAIN_ROWS} rows")
        yield number, {name: value for name, value in record.items() if name in wanted}
    yield from broken


def _first_row(path: str) -> dict[str, Any]:
    place = Path(path)
    lines = records_in(place, sniff(place), lambda number, error: None)
    return next((record for _number, record in lines), {})


def _columns_seen(path: str) -> list[str]:
    place = Path(path)
    seen: dict[str, None] = {}
    for index, (_number, record) in enumerate(records_in(place, sniff(place), lambda number, error: None)):
        seen |= dict.fromkeys(str(name)[:100] for name in record)
        if index >= 100 or len(seen) > 200:
            break
    return list(seen)


def _has_labels(task: Task[Any]) -> bool:
    return "labels" in {one.name for one in fields(task.settings_type)}


def _with_plain_labels(row: dict[str, Any] | EngineError, task: Task[Any], columns: Mapping[str, str]) -> Any:
    """Write labels as texts: found labels are names, and a number in a file would be taken for a position."""
    column = columns[LABEL_ROLE]
    if isinstance(row, EngineError) or column not in row:
        return row
    value = row[column]
    if task.name in SEVERAL:
        several = _several(value)
        return row if several is None else {**row, column: several}
    return {**row, column: _plain(value)}


def _several(value: Any) -> list[Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return [_plain(item) for item in value] if isinstance(value, list) else None


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int | float) else value


def _labels_in(rows: Iterator[Any], task: Task[Any], columns: Mapping[str, str]) -> list[str]:
    column = columns[LABEL_ROLE]
    found: set[str] = set()
    for row in rows:
        value = row.get(column) if isinstance(row, dict) else None
        found.update(item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str) and item)
        if len(found) > MAX_LABELS:
            raise EngineError(
                "bad_data",
                f'the column "{column}" has more than {MAX_LABELS} different labels; it looks like texts or numbers. '
                "Name another column, or choose another task.",
            )
    if len(found) < 2:
        only = f"only one label, {next(iter(found))[:60]!r}" if found else "no labels"
        raise EngineError("bad_data", f'the column "{column}" has {only}: there is nothing to tell apart')
    if task.name == "token-classification":
        return _tags(found)
    if all(label.removeprefix("-").isdecimal() for label in found):
        return sorted(found, key=int)
    return sorted(found)


def _tags(found: set[str]) -> list[str]:
    """Return O and both tags of every type: a type whose entities are single words has no I- in the data."""
    types = sorted({tag.partition("-")[2] for tag in found if tag[:2] in ("B-", "I-")})
    known = [OUTSIDE, *(f"{prefix}-{name}" for name in types for prefix in "BI")]
    return [*known, *sorted(found - set(known))]


def _part(name: str, rows: list[Any], task: Task[Any], settings: Any, columns: Mapping[str, str]) -> Part:
    part = Part(name=name, read=len(rows))
    for number, row in rows:
        if isinstance(row, EngineError):
            part.skip("unreadable", number, row.message)
            continue
        if why := _empty(row, task, columns):
            part.skip(why, number)
            continue
        record = Record(row, number, {role: column for role, column in columns.items() if column in row})
        try:
            question, gold = learning_rows.read(task, record, settings)
        except EngineError as error:
            label = row.get(columns.get(LABEL_ROLE, ""))
            is_label = "not one of the labels" in error.message
            part.skip("unknown_labels" if is_label else "unreadable", number, error.message)
            if is_label:
                part.unknown[str(label)[:100]] += 1
            continue
        if task.name == "question-answering":
            gold = {**gold, "starts": _starts(row.get(columns[LABEL_ROLE]))}
        part.lines.append(Line(name, number, question, gold))
    return part


def _empty(row: dict[str, Any], task: Task[Any], columns: Mapping[str, str]) -> str | None:
    for role, column in columns.items():
        value = row.get(column)
        blank = value is None or (isinstance(value, str) and not value.strip()) or value == []
        # No label, or no answer, may be the right answer of these.
        may_be_blank = role == LABEL_ROLE and task.name in ("multi-label-classification", "question-answering")
        if blank and not (may_be_blank and value is not None):
            return "empty_labels" if role == LABEL_ROLE else "empty_texts"
    return None


def _starts(value: Any) -> list[int]:
    """Return where answers begin, as far as the file says so."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, dict):
        starts = value.get("answer_start", [])
    elif isinstance(value, list):
        starts = [item.get("answer_start") if isinstance(item, dict) else None for item in value]
    else:
        starts = []
    proper = isinstance(starts, list) and all(type(start) is int and start >= 0 for start in starts)
    return starts if proper else []
