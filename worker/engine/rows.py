"""Benchmark files to questions and answers. Imports no torch; every error names the line."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from worker.engine.contracts import EngineError, PrepareSpec, require
from worker.engine.decoding import parse_json
from worker.engine.marks import Marks, named, of_questions
from worker.engine.perturbing.asking import Changed, ask_changed
from worker.engine.records import Record, bad, is_encodable
from worker.engine.tasks import find
from worker.engine.tasks.task import Task, Value

MAX_LINE_BYTES = 1 << 20
MAX_ROWS = 200_000
MAX_EXTRA_ROWS = 1_000_000
MAX_ID_CHARACTERS = 256

Format = Literal["jsonl", "csv"]


@dataclass(frozen=True, slots=True)
class Example:
    """One line of a benchmark: what a model may see and what it may not."""

    id: str
    question: Value
    gold: Value
    groups: tuple[str, ...] = ()  # the values of the columns that slices go by


@dataclass(frozen=True)
class Questions:
    """What a model is asked, in the order of the benchmark, and lines of extra files by the name of the file."""

    ids: list[str]
    values: list[Value]
    context: dict[str, list[Value]] = field(default_factory=dict)


def prepare(spec: PrepareSpec) -> int:
    """Write the questions, the answers and the context of a benchmark and return the number of examples."""
    task = find(spec.task)
    settings = task.settings(spec.settings)
    wanted = {name for name, needed in task.files.items() if needed}
    extra = {name: path for name, path in spec.files.items() if name != "test"}
    require(set(extra) <= set(task.files), f"files of {task.name} may be test, {', '.join(task.files)}")
    require(wanted <= set(extra), f"files of {task.name} must hold: {', '.join(sorted(wanted))}")
    examples = read_examples(
        Path(spec.files["test"]), task, settings, spec.fields, format=spec.format, slices=spec.slices
    )
    context = list(_extra_lines(extra, task, settings, spec))
    ids, questions = [row.id for row in examples], [row.question for row in examples]
    more = {name: [line for line in context if line["file"] == name] for name in extra}
    golds = task.finish(ids, questions, [row.gold for row in examples], more, settings)
    write_lines(Path(spec.inputs), ({"id": row.id, **row.question} for row in examples))
    write_lines(Path(spec.gold), ({"id": id_, **gold} for id_, gold in zip(ids, golds, strict=True)))
    if extra and spec.context:
        write_lines(Path(spec.context), context)
    if spec.marks:
        write_lines(Path(spec.marks), [asdict(_marks(task, examples, spec))])
    return len(examples)


def _marks(task: Task[Any], examples: list[Example], spec: PrepareSpec) -> Marks:
    """Return the marks of the rows; the changed questions that they speak of are written for the model."""
    questions = [row.question for row in examples]
    lengths, scripts = of_questions(questions) if task.reads_text else ([], [])
    changed = Changed([], {}, [])
    if spec.robustness and spec.perturbed:
        changed = ask_changed(task.name, [row.id for row in examples], questions, spec.robustness)
        write_lines(Path(spec.perturbed), ({"id": str(n), **value} for n, value in enumerate(changed.questions)))
    columns = {name: [row.groups[place] for row in examples] for place, name in enumerate(spec.slices)}
    return Marks(lengths=lengths, scripts=scripts, columns=columns, rows=changed.rows, changed=changed.changed)


def read_examples(
    path: Path,
    task: Task[Any],
    settings: Any,
    fields: Mapping[str, str],
    *,
    format: Format | None = None,
    slices: Sequence[str] = (),
) -> list[Example]:
    """Read a JSONL or CSV file of examples with their answers; one without an "id" gets its 0-based index."""
    rows: list[Example] = []
    seen: set[str] = set()
    columns = task.columns(fields)
    for number, values in records_in(path, format or sniff(path)):
        identity = identity_of(values, len(rows), number)
        record = Record(values, number, columns)
        question, gold = task.read(record, settings)
        if identity in seen:
            raise bad(number, f'the id "{identity[:80]}" is used twice')
        if len(rows) >= MAX_ROWS:
            raise bad(number, f"the file has more than {MAX_ROWS} rows")
        seen.add(identity)
        rows.append(Example(identity, question, gold, tuple(named(record.get(column)) for column in slices)))
    if not rows:
        raise EngineError("bad_data", "the data file has no rows")
    return rows


def read_labelled(path: Path, text: str, label: str, labels: list[str]) -> list[tuple[str, str]]:
    """Read the texts of a training file with their labels; `text` and `label` are the columns."""
    task = find("text-classification")
    settings = task.settings({"labels": labels})
    examples = read_examples(path, task, settings, {"input": text, "target": label})
    return [(row.question["text"], row.gold["label"]) for row in examples]


def read_questions(inputs: Path, context: Path | None = None) -> Questions:
    """Read what `prepare` wrote for the model."""
    found = read_changed(inputs, {})
    if not found.ids:
        raise EngineError("bad_data", "there are no inputs")
    for _number, value in records_in(context, "jsonl") if context else ():
        found.context.setdefault(str(value.pop("file", "")), []).append(value)
    return found


def read_changed(path: Path, context: dict[str, list[Value]]) -> Questions:
    """Read changed questions, of which there may be none; they go with the context of the others."""
    found = Questions([], [], context)
    for number, value in records_in(path, "jsonl"):
        found.ids.append(identity_of(value, len(found.ids), number))
        value.pop("id", None)
        found.values.append(value)
    return found


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines at once or not at all."""
    partial = path.with_name(path.name + ".part")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    os.replace(partial, path)


def sniff(path: Path) -> Format:
    """Return what kind of file this is."""
    if path.suffix in (".jsonl", ".ndjson", ".csv"):
        return "csv" if path.suffix == ".csv" else "jsonl"
    # A file fetched by digest has no telling name; a JSON line can only begin with a brace.
    with path.open("rb") as file:
        return "jsonl" if file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"


def records_in(
    path: Path, format: Format, skip: Callable[[int, EngineError], None] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the lines of a file with their numbers; one that is not proper ends it, or is told to `skip`."""
    try:
        with path.open("rb") as file:
            yield from _json_records(file, skip) if format == "jsonl" else _csv_records(file, skip)
    except OSError as error:
        raise EngineError("bad_data", f"the data file cannot be read: {error.strerror}") from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    # Only "\n" ends a line: str.splitlines would also cut at U+2028, which text may hold.
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise bad(number, f"it is longer than {MAX_LINE_BYTES} bytes")
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise bad(number, "it is not UTF-8") from error


def _json_records(
    file: BinaryIO, skip: Callable[[int, EngineError], None] | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(file):
        if not line.strip():
            continue
        try:
            yield number, _json_record(line, number)
        except EngineError as error:
            if skip is None:
                raise
            skip(number, error)


def _json_record(line: str, number: int) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except (ValueError, RecursionError) as error:
        raise bad(number, f"it is not JSON ({str(error)[:100]})") from error
    if not isinstance(record, dict):
        raise bad(number, "it must be a JSON object")
    return record


def _csv_records(
    file: BinaryIO, skip: Callable[[int, EngineError], None] | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader((line for _, line in _lines(file)), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            if not cells:
                continue
            if header is None:
                header = cells
                if len(set(header)) != len(header):
                    raise bad(1, "a column name is used twice")
                continue
            if len(cells) != len(header):
                wrong = bad(reader.line_num, f"it has {len(cells)} cells, the header has {len(header)}")
                if skip is None:
                    raise wrong
                skip(reader.line_num, wrong)
                continue
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise bad(reader.line_num, f"it is not CSV ({error})") from error


def identity_of(record: dict[str, Any], index: int, number: int) -> str:
    """Return the id of a line, its number from 0 where it has none."""
    value = record.get("id", index)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise bad(number, 'its "id" must be a string or a whole number')
    identity = str(value)
    if not 0 < len(identity) <= MAX_ID_CHARACTERS or not is_encodable(identity):
        raise bad(number, f'its "id" must have 1 to {MAX_ID_CHARACTERS} characters')
    return identity


def _extra_lines(
    extra: Mapping[str, str], task: Task[Any], settings: Any, spec: PrepareSpec
) -> Iterator[dict[str, Any]]:
    columns = task.columns(spec.fields)
    for name in sorted(extra):
        path = Path(extra[name])
        seen: set[str] = set()
        for number, values in records_in(path, sniff(path)):
            if len(seen) >= MAX_EXTRA_ROWS:
                raise bad(number, f'the file "{name}" has more than {MAX_EXTRA_ROWS} rows')
            identity = identity_of(values, len(seen), number)
            if identity in seen:
                raise bad(number, f'the id "{identity[:80]}" is used twice in the file "{name}"')
            seen.add(identity)
            yield {"file": name, "id": identity, **task.read_extra(name, Record(values, number, columns), settings)}
        if not seen:
            raise EngineError("bad_data", f'the file "{name}" has no rows')
