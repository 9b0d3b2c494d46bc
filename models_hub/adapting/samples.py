"""The beginning of a table: its columns, its first rows, and what keeps a run from learning from it.

It is read as the engine reads whole files, so that what a worker could only refuse is said while the form is open.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.browsing import Entry
from models_hub.models import Repo
from models_hub.viewers import texts

BYTES = 256 * 1024
MAX_COLUMNS = 60
JSON_COLUMNS_FROM = 100  # rows, as the engine does
SHOWN_ROWS, SHOWN_CHARACTERS = 3, 120
SEPARATORS = ("\t", ";", "|")
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a table begins with; `problem` says in the reader's language why nothing can be learned from it."""

    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)  # all of them where the sample is whole
    is_whole: bool = True
    problem: str = ""

    def shown(self) -> list[list[str]]:
        """Return the cells of the first rows, cut for a page."""
        rows = self.rows[:SHOWN_ROWS]
        return [[_shown(row.get(name))[:SHOWN_CHARACTERS] for name in self.columns] for row in rows]


def read(repo: Repo, entry: Entry) -> Sample:
    """Return the sample of a file in a data set."""
    return of_bytes(browsing.read(repo, entry, BYTES), entry.path, is_whole=entry.size <= BYTES)


def of_bytes(content: bytes, path: str, *, is_whole: bool) -> Sample:
    """Return the sample of a file that begins with these bytes."""
    if problem := not_text(content, path):
        return Sample(problem=problem)
    decoded = texts.decode(content, is_cut=not is_whole)
    if decoded is None:
        return Sample(problem=_unknown_form(path))
    text, encoding = decoded
    if encoding:
        values = {"path": path, "encoding": encoding}
        return Sample(
            problem=_("%(path)s is encoded as %(encoding)s. Save it as UTF-8 and put it in the data set again.")
            % values
        )
    if not is_whole:
        text = text[: text.rfind("\n") + 1]
    if not text.strip():  # a mark of UTF-8 alone, or a first row longer than what was read, which may well be right
        return Sample(is_whole=is_whole, problem=_empty(path) if is_whole else "")
    if text.lstrip().startswith("["):
        return Sample(
            problem=_("%(path)s is one JSON list. Write each of its objects on a line of its own.") % _of(path)
        )
    return _json(text, path, is_whole) if text.lstrip().startswith("{") else _csv(text, path, is_whole)


def not_text(content: bytes, path: str) -> str:
    """Return what to do about a file that is empty or a spreadsheet, "" for any other one."""
    if content.startswith(SPREADSHEETS):
        return _(
            "%(path)s is a spreadsheet. Open it in its program, choose “Save as” and “CSV UTF-8”, and take that file."
        ) % _of(path)
    if not content.strip():
        return _empty(path)
    return ""


def separator(text: str) -> str:
    """Return what stands between the names of a header: a comma, unless there is none and something else does."""
    header = next((line for line in text.split("\n") if line.strip()), "")
    return next((sign for sign in (",", *SEPARATORS) if sign in header), ",")


def _csv(text: str, path: str, is_whole: bool) -> Sample:
    if (sign := separator(text)) != ",":
        values = {"path": path, "sign": _("tabs") if sign == "\t" else f"“{sign}”"}
        return Sample(problem=_("%(path)s has %(sign)s between its cells. Save it with commas between them.") % values)
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[list[str]] = []
    try:
        for cells in reader:  # the rows before a wrong one are kept
            rows += [cells] if cells else []
    except csv.Error as error:
        if is_whole or not rows:  # else the last row is only cut
            values = {"path": path, "line": str(reader.line_num), "cause": str(error)[:100]}
            return Sample(
                columns=rows[0][:MAX_COLUMNS] if rows else [],
                problem=_("%(path)s, line %(line)s: this is no CSV (%(cause)s). Look for a quotation mark not closed.")
                % values,
            )
    header, body = rows[0], rows[1:]
    fitting = [dict(zip(header, cells, strict=True)) for cells in body if len(cells) == len(header)]
    columns = header[:MAX_COLUMNS]
    return Sample(
        columns=columns, rows=fitting, is_whole=is_whole, problem=_header_problem(header, body, path, is_whole)
    )


def _header_problem(header: list[str], body: list[list[str]], path: str, is_whole: bool) -> str:
    twice = next((name for number, name in enumerate(header) if name in header[:number]), None)
    if twice is not None:
        values = {"path": path, "name": twice[:80]}
        return _("%(path)s has two columns named “%(name)s”. Give each a name of its own.") % values
    if is_whole and not body:
        return _("%(path)s has one line alone. Its first line must name the columns, with the rows under it.") % _of(
            path
        )
    return ""


def _json(text: str, path: str, is_whole: bool) -> Sample:
    rows = list(_objects(text))
    if not rows:
        problem = _("%(path)s: no line is a JSON object. Write each row on one line, as {“column”: value}.") % _of(path)
        return Sample(is_whole=is_whole, problem=problem if is_whole or "\n" in text else "")
    columns = dict.fromkeys(name for row in rows[:JSON_COLUMNS_FROM] for name in row)
    return Sample(columns=list(columns)[:MAX_COLUMNS], rows=rows, is_whole=is_whole)


def _objects(text: str) -> Iterator[Row]:
    for line in text.split("\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _empty(path: str) -> str:
    return _("%(path)s is empty. Take a file with a row of column names and at least two rows under it.") % _of(path)


def _unknown_form(path: str) -> str:
    return _("%(path)s is no text. Take a CSV file, or lines of JSON.") % _of(path)


def _of(path: str) -> dict[str, str]:
    return {"path": path}
