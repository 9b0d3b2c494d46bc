"""The verb `fill`: answers of people go into the rows of a file that had none. Imports no torch."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.progress import Progress
from worker.engine.rows import MAX_LINE_BYTES, records_in
from worker.engine.tasks.task import Value
from worker.engine.tuning.picking import asking
from worker.engine.tuning.picking.contracts import FillSpec

Answers = dict[int, Any]  # by the number of a line
LOOKED_AT = 1000  # rows until it is known how the file writes its labels


def fill(spec: FillSpec, progress: Progress) -> dict[str, Any]:
    """Write the file anew and return how many answers went into it, and why others did not."""
    path = Path(spec.file)
    columns = asking.columns_of(spec.task, spec.fields)
    kind = asking.format_of(path)
    answers, counts = _placed(spec, path, columns)
    if _has_numbers(spec, path, columns):
        answers = {line: _numbered(value, spec.labels) for line, value in answers.items()}
    out = Path(spec.out)
    if kind == "csv":
        _fill_csv(path, out, columns[asking.TARGET], answers)
    else:
        _fill_lines(path, out, columns[asking.TARGET], answers)
    progress.report(1.0, "done", always=True)
    return {**counts, "written": len(answers)}


def _placed(spec: FillSpec, path: Path, columns: dict[str, str]) -> tuple[Answers, dict[str, int]]:
    """Return the answers by the lines that they belong to now."""
    wanted: dict[str, tuple[int, Any]] = {}
    for _number, row in records_in(Path(spec.answers), "jsonl"):
        wanted[_key(row["question"])] = (row["line"], row["value"])
    found: dict[str, int] = {}
    answered: set[str] = set()
    for number, values in records_in(path, asking.format_of(path), lambda _number, _error: None):
        try:
            key = _key(asking.question_of(spec.task, values, number, columns))
        except EngineError:
            continue
        if key not in wanted:
            continue
        if asking.answer_of(spec.task, values, columns) is not None:
            if number == wanted[key][0] or key not in found:
                answered.add(key)
        elif key not in found or number == wanted[key][0]:
            found[key] = number
    placed = {number: wanted[key][1] for key, number in found.items()}
    taken = answered - set(found)
    return placed, {"answered_before": len(taken), "gone": len(wanted) - len(found) - len(taken)}


def _key(question: Value) -> str:
    return json.dumps(question, ensure_ascii=False, sort_keys=True)


def _has_numbers(spec: FillSpec, path: Path, columns: dict[str, str]) -> bool:
    """Whether the file writes labels by their position: then the new ones are written so too."""
    rows = records_in(path, asking.format_of(path), lambda _number, _error: None)
    for _count, (_number, values) in zip(range(LOOKED_AT), rows, strict=False):
        value = asking.answer_of(spec.task, values, columns)
        value = value[0] if isinstance(value, list) and value else value
        if value is None or isinstance(value, list):
            continue
        text = value if isinstance(value, str) else ""
        return type(value) is int or (text.isdecimal() and text not in spec.labels)
    return False


def _numbered(value: Any, labels: list[str]) -> Any:
    return [labels.index(one) for one in value] if isinstance(value, list) else labels.index(value)


def _fill_lines(path: Path, out: Path, column: str, answers: Answers) -> None:
    with path.open("rb") as file, out.open("wb") as made:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if number not in answers:
                made.write(line)
                continue
            values = parse_json(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            text = json.dumps({**values, column: answers[number]}, ensure_ascii=False)
            made.write(text.encode() + (b"\r\n" if line.endswith(b"\r\n") else b"\n"))


def _fill_csv(path: Path, out: Path, column: str, answers: Answers) -> None:
    with path.open("rb") as file, out.open("wb") as made:
        for number, cells, raw, header in _csv_rows(file):
            end = "\r\n" if raw.endswith(b"\r\n") else "\n"
            if not cells:
                made.write(raw)
            elif header is None:
                is_new = column not in cells
                made.write(_csv_line([*cells, column], end) if is_new else raw)
                place = len(cells) if is_new else cells.index(column)
            elif number in answers or is_new:
                cells = [*cells, ""] if is_new else cells
                if number in answers:
                    value = answers[number]
                    cells[place] = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
                made.write(_csv_line(cells, end))
            else:
                made.write(raw)


def _csv_rows(file: io.BufferedReader) -> Iterator[tuple[int, list[str], bytes, list[str] | None]]:
    """Yield each row with its number, its cells, its bytes and the header, None for the header itself."""
    read: list[bytes] = []

    def lines() -> Iterator[str]:
        first = True
        while line := file.readline(MAX_LINE_BYTES + 1):
            read.append(line)
            yield line.decode("utf-8-sig" if first else "utf-8")
            first = False

    header: list[str] | None = None
    reader = csv.reader(lines(), strict=True)
    for cells in reader:
        raw = b"".join(read)
        read.clear()
        yield reader.line_num, cells, raw, header
        if header is None and cells:
            header = cells


def _csv_line(cells: list[str], end: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerow(cells)
    return text.getvalue().encode()
