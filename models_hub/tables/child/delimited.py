"""CSV and TSV: rows under a header. Cells stay the texts that they are."""

import csv
from collections.abc import Iterator
from typing import Any

from models_hub.tables.child.budget import Notes, Unreadable
from models_hub.tables.child.lines import Lines

MAX_FIELD = 4 * 1024 * 1024
csv.field_size_limit(MAX_FIELD)
_OTHERS = ("\t", ";", "|")


def read(lines: Lines, *, name: str, delimiter: str | None, notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield rows by column name; what does not fit the header is kept and noted."""
    texts = iter(lines)
    header = next((text for text in texts if text.strip()), None)
    if header is None:
        return
    if delimiter is None:
        delimiter = _guess(header)
        if delimiter != ",":
            notes.add("other_delimiter", file=name, delimiter="Tab" if delimiter == "\t" else delimiter)
    reader = csv.reader(_again(header, texts), delimiter=delimiter)
    columns = _columns(_next(reader, lines, name, notes) or [], name, notes)
    while (cells := _next(reader, lines, name, notes)) is not None:
        if not cells:  # an empty line
            continue
        if len(cells) != len(columns) and cells:
            notes.add("other_width", file=name, line=lines.number, found=len(cells), expected=len(columns))
            while len(columns) < len(cells):
                columns.append(_free(f"column {len(columns) + 1}", columns))
        yield dict(zip(columns, cells, strict=False))


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _guess(header: str) -> str:
    """Return what parts the names of the header: a comma, unless there is none and something else does."""
    return next((sign for sign in (",", *_OTHERS) if sign in header), ",")


def _next(reader: Any, lines: Lines, name: str, notes: Notes) -> list[str] | None:
    """Return the next row, None at the end; a row that cannot be read is noted and left out."""
    while True:
        start = lines.number + 1
        try:
            return next(reader)  # type: ignore[no-any-return]
        except StopIteration:
            return None
        except csv.Error as error:
            if lines.number < start:
                raise Unreadable("bad_csv", file=name, line=start, cause=str(error)) from error
            notes.add("bad_csv", file=name, line=start, cause=str(error))


def _columns(cells: list[str], name: str, notes: Notes) -> list[str]:
    columns: list[str] = []
    for index, cell in enumerate(cells, 1):
        title = cell.strip() or f"column {index}"
        if title in columns:
            notes.add("same_name", file=name, name=title[:80])
        columns.append(_free(title, columns))
    return columns


def _free(title: str, taken: list[str]) -> str:
    found, number = title, 2
    seen = set(taken)
    while found in seen:
        found, number = f"{title} ({number})", number + 1
    return found
