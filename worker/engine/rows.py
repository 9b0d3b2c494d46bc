"""Benchmark files to rows, and rows to questions and answers. Imports no torch; every error names the line."""

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from worker.engine.contracts import EngineError, FieldSpec, PrepareSpec
from worker.engine.decoding import parse_json

MAX_LINE_BYTES = 1 << 20
MAX_ROWS = 200_000
MAX_ID_CHARACTERS = 256

Format = Literal["jsonl", "csv"]


@dataclass(frozen=True, slots=True)
class Row:
    """One example: text2 only for pairs, label only where the asker may see it."""

    id: str
    text: str
    text2: str | None
    label: str | None


def prepare(spec: PrepareSpec) -> int:
    """Write inputs.jsonl and gold.jsonl from a benchmark file and return the number of examples."""
    rows = read_rows(Path(spec.data), spec.field_spec, spec.labels, format=spec.format)
    write_lines(Path(spec.inputs), (_question(row) for row in rows))
    write_lines(Path(spec.gold), ({"id": row.id, "label": row.label} for row in rows))
    return len(rows)


def read_rows(path: Path, field_spec: FieldSpec, labels: list[str], *, format: Format | None = None) -> list[Row]:
    """Read a JSONL or CSV file of labelled examples; a row without an "id" gets its 0-based index."""
    rows: list[Row] = []
    seen: set[str] = set()
    for number, record in _records(path, format or _sniff(path)):
        row = Row(
            id=_identity(record, len(rows), number),
            text=_text(record, field_spec.input, number),
            text2=_text(record, field_spec.input2, number) if field_spec.input2 else None,
            label=_label(record, field_spec.target, labels, number),
        )
        if row.id in seen:
            raise _bad(number, f'the id "{row.id[:80]}" is used twice')
        if len(rows) >= MAX_ROWS:
            raise _bad(number, f"the file has more than {MAX_ROWS} rows")
        seen.add(row.id)
        rows.append(row)
    if not rows:
        raise EngineError("bad_data", "the data file has no rows")
    return rows


def read_questions(path: Path) -> list[Row]:
    """Read an inputs.jsonl that `prepare` wrote."""
    rows: list[Row] = []
    for number, record in _records(path, "jsonl"):
        text2 = _text(record, "text2", number) if "text2" in record else None
        rows.append(Row(_identity(record, len(rows), number), _text(record, "text", number), text2, None))
    if not rows:
        raise EngineError("bad_data", "there are no inputs")
    return rows


def write_lines(path: Path, records: Iterator[dict[str, Any]]) -> None:
    """Write JSON lines under a temporary name first, so that a half-written file is never read."""
    partial = path.with_name(path.name + ".part")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    os.replace(partial, path)


def _question(row: Row) -> dict[str, Any]:
    pair = {} if row.text2 is None else {"text2": row.text2}
    return {"id": row.id, "text": row.text, **pair}


def _sniff(path: Path) -> Format:
    if path.suffix in (".jsonl", ".ndjson", ".csv"):
        return "csv" if path.suffix == ".csv" else "jsonl"
    # A file fetched by digest has no telling name; a JSON line can only begin with a brace.
    with path.open("rb") as file:
        return "jsonl" if file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"


def _records(path: Path, format: Format) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            yield from _json_records(file) if format == "jsonl" else _csv_records(file)
    except OSError as error:
        raise EngineError("bad_data", f"the data file cannot be read: {error.strerror}") from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    # Only "\n" ends a line: str.splitlines would also cut at U+2028, which text may hold.
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise _bad(number, f"it is longer than {MAX_LINE_BYTES} bytes")
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _bad(number, "it is not UTF-8") from error


def _json_records(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(file):
        if not line.strip():
            continue
        try:
            record = parse_json(line)
        except (ValueError, RecursionError) as error:
            raise _bad(number, f"it is not JSON ({str(error)[:100]})") from error
        if not isinstance(record, dict):
            raise _bad(number, "it must be a JSON object")
        yield number, record


def _csv_records(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader((line for _, line in _lines(file)), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            if not cells:
                continue
            if header is None:
                header = cells
                if len(set(header)) != len(header):
                    raise _bad(1, "a column name is used twice")
                continue
            if len(cells) != len(header):
                raise _bad(reader.line_num, f"it has {len(cells)} cells, the header has {len(header)}")
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise _bad(reader.line_num, f"it is not CSV ({error})") from error


def _identity(record: dict[str, Any], index: int, number: int) -> str:
    value = record.get("id", index)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _bad(number, 'its "id" must be a string or a whole number')
    identity = str(value)
    if not 0 < len(identity) <= MAX_ID_CHARACTERS or not _is_encodable(identity):
        raise _bad(number, f'its "id" must have 1 to {MAX_ID_CHARACTERS} characters')
    return identity


def _text(record: dict[str, Any], field: str, number: int) -> str:
    if field not in record:
        raise _bad(number, f'it has no field "{field}"')
    value = record[field]
    if not isinstance(value, str) or not value.strip():
        raise _bad(number, f'its field "{field}" must be text and not empty')
    if not _is_encodable(value):
        raise _bad(number, f'its field "{field}" holds half of a surrogate pair')
    return value


def _label(record: dict[str, Any], field: str, labels: list[str], number: int) -> str:
    if field not in record:
        raise _bad(number, f'it has no field "{field}"')
    value = record[field]
    if isinstance(value, str) and value in labels:
        return value
    # Many public data sets store the position of the label; in CSV it arrives as digits.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5:
        value = int(value)
    if type(value) is int and 0 <= value < len(labels):
        return labels[value]
    known = ", ".join(labels[:10])
    raise _bad(number, f'its field "{field}" is {str(value)[:80]!r}, not one of the labels: {known}')


def _is_encodable(text: str) -> bool:
    # JSON may spell a lone surrogate as \ud800; no file can hold it and no tokenizer takes it.
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _bad(number: int, what: str) -> EngineError:
    return EngineError("bad_data", f"line {number}: {what}")
