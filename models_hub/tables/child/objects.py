"""JSON: one object a line, or one array of objects in a file."""

import json
import re
from collections.abc import Iterator
from typing import Any

from models_hub.tables.child.budget import Budget, Notes, Unreadable
from models_hub.tables.child.lines import Lines

MAX_DOCUMENT = 64 * 1024 * 1024  # characters: a document is parsed in memory
_NEXT = re.compile(r"[\s,]*")


def _constant(name: str) -> Any:
    """NaN is a missing number; an infinite one has no place in JSON, so it is shown as the text that it is."""
    return None if name == "NaN" else name


_DECODER = json.JSONDecoder(parse_constant=_constant)


def read_lines(lines: Lines, *, name: str, notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield the object of each line; a line that holds none is noted and left out."""
    for text in lines:
        if not text.strip():
            continue
        try:
            value = _DECODER.decode(text.rstrip("\r\n"))
        except json.JSONDecodeError as error:
            notes.add("bad_json", file=name, line=lines.number, column=error.colno, cause=error.msg)
            continue
        except RecursionError:
            notes.add("deep_json", file=name, line=lines.number)
            continue
        except ValueError as error:  # a number of thousands of digits
            notes.add("bad_json", file=name, line=lines.number, column=1, cause=str(error)[:120])
            continue
        if isinstance(value, dict):
            yield value
        else:
            notes.add("no_object", file=name, line=lines.number)


def read_document(lines: Lines, *, name: str, budget: Budget, notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield the objects of an array, at the top or as the one list of objects under a name of a top object.

    What looks like one object a line is read as that.
    """
    text = _document(lines, budget)
    start = _NEXT.match(text).end()  # type: ignore[union-attr]
    if text[start : start + 1] == "[":
        yield from _items(text, start + 1, name, budget, notes)
        return
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError as error:
        raise Unreadable("deep_json", file=name, line=None) from error
    except ValueError as error:
        place = {"line": getattr(error, "lineno", 1), "column": getattr(error, "colno", 1)}
        raise Unreadable("bad_json", file=name, **place, cause=str(getattr(error, "msg", error))[:120]) from error
    if not isinstance(value, dict):
        raise Unreadable("no_rows", file=name)
    if text[end:].strip():  # one object after the other
        yield value
        yield from _items(text, end, name, budget, notes)
        return
    yield from _rows_in(value, name)


def _document(lines: Lines, budget: Budget) -> str:
    parts, size = [], 0
    for line in lines:
        parts.append(line)
        size += len(line)
        if size > MAX_DOCUMENT:
            budget.is_spent = True
            break
    return "".join(parts)


def _items(text: str, position: int, name: str, budget: Budget, notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield the objects that follow each other; at the first that cannot be read there is no going on."""
    while True:
        position = _NEXT.match(text, position).end()  # type: ignore[union-attr]
        if position >= len(text) or text[position] == "]":
            return
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            if not budget.is_spent:  # else it is only cut
                line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
                cause = getattr(error, "msg", "") or "nested too deeply"
                notes.add("rest_left_out", file=name, line=line, column=column, cause=cause)
            return
        if isinstance(value, dict):
            yield value
        else:
            notes.add("no_object", file=name, line=text.count("\n", 0, position) + 1)


def _rows_in(value: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
    if len(lists) == 1:
        yield from (item for item in lists[0] if isinstance(item, dict))
        return
    columns = [item for item in value.values() if isinstance(item, list)]
    if columns and len(columns) == len(value) and len({len(item) for item in columns}) == 1:
        for cells in zip(*columns, strict=True):
            yield dict(zip(value, cells, strict=True))
        return
    if not value:
        raise Unreadable("no_rows", file=name)
    yield value
