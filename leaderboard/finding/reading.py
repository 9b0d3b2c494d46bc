"""Labelled examples from what somebody pasted or sent: CSV or JSON, within bounds, each mistake named by its line."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leaderboard.finding.example_tasks import TASKS, Column, ExampleTask, Form
from portal.errors import InvalidInput

LEAST, MOST = 20, 500
MAX_BYTES = 1_000_000
MAX_CELL = 20_000
MAX_COLUMNS = 100
MAX_LABELS, MAX_LABEL = 100, 200
MAX_LIST = 4096
MAX_ANSWERS = 20
TOLD = 8  # mistakes that are named
Row = Mapping[str, Any]


class ExamplesRefused(InvalidInput):
    """The examples cannot be used; `lines` says why, line by line."""

    code = "examples_refused"

    def __init__(self, *lines: str) -> None:
        super().__init__(" ".join(lines), data={"lines": list(lines)})
        self.lines = lines


@dataclass(frozen=True)
class Read:
    """Examples in their order, each with a value for each role, and the labels that occur."""

    rows: Sequence[Row]
    labels: Sequence[str]
    columns: Mapping[str, str]  # which column of the file each role was read from


def read(text: str, task: str, columns: Mapping[str, str]) -> Read:
    """Read examples; `columns` names the columns of roles, those it leaves out are found by their usual names."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ExamplesRefused(_("The examples may have at most %(size)d kB.") % {"size": MAX_BYTES // 1000})
    numbered = list(_numbered(text.removeprefix("\ufeff")))
    if not numbered:
        raise ExamplesRefused(_("There are no examples. Paste lines, or choose a file."))
    kind = TASKS[task]
    chosen = _columns(kind, columns, numbered[0][1])
    rows, mistakes = [], []
    for number, record in numbered:
        try:
            row = {column.role: _value(record, column, chosen[column.role]) for column in kind.columns}
            rows.append(_matched(row, kind))
        except ValueError as error:
            mistakes.append(_("Line %(number)d: %(what)s") % {"number": number, "what": error})
    if mistakes:
        raise ExamplesRefused(*_cut(mistakes))
    _check_count(len(rows))
    return Read(rows, _labels(kind, rows), chosen)


def _cut(mistakes: Sequence[str]) -> list[str]:
    more = len(mistakes) - TOLD
    if more <= 0:
        return list(mistakes)
    rest = ngettext("… and %(n)d more line.", "… and %(n)d more lines.", more) % {"n": more}
    return [*mistakes[:TOLD], rest]


def _check_count(count: int) -> None:
    if not LEAST <= count <= MOST:
        raise ExamplesRefused(
            _("There are %(n)d examples; between %(least)d and %(most)d are needed.")
            % {"n": count, "least": LEAST, "most": MOST}
        )


def _numbered(text: str) -> Iterator[tuple[int, Row]]:
    """Yield each example with the number of its line."""
    start = text.lstrip()[:1]
    if start == "{":
        yield from _json_lines(text)
    elif start == "[":
        yield from _json_list(text)
    elif start:
        yield from _table(text)


def _json_lines(text: str) -> Iterator[tuple[int, Row]]:
    found: list[tuple[int, Row]] = []
    mistakes = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            mistakes.append(_("Line %(number)d: it is not a JSON object.") % {"number": number})
        elif len(found) <= MOST:
            found.append((number, record))
    if mistakes:
        raise ExamplesRefused(*_cut(mistakes))
    yield from found


def _json_list(text: str) -> Iterator[tuple[int, Row]]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise ExamplesRefused(_("Line %(number)d: it is not JSON.") % {"number": line}) from error
    for number, record in enumerate(records[: MOST + 1], start=1):
        if not isinstance(record, dict):
            raise ExamplesRefused(_("Example %(number)d is not a JSON object.") % {"number": number})
        yield number, record


def _table(text: str) -> Iterator[tuple[int, Row]]:
    """Yield the lines of a table with a head; commas, semicolons or tabs part its cells."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = reader.fieldnames or []
        if not 2 <= len(names) <= MAX_COLUMNS:
            raise ExamplesRefused(
                _("The first line must name the columns, at least two of them, such as “text,label”.")
            )
        for count, record in enumerate(reader):
            if count > MOST:
                return
            if None in record:
                raise ExamplesRefused(
                    _("Line %(number)d: it has more cells than the first line has names. Put texts in quotes.")
                    % {"number": reader.line_num}
                )
            yield reader.line_num, {str(name).strip(): cell for name, cell in record.items()}
    except csv.Error as error:
        raise ExamplesRefused(
            _("Line %(number)d: the table cannot be read (%(why)s).") % {"number": reader.line_num, "why": error}
        ) from error


def _columns(kind: ExampleTask, named: Mapping[str, str], first: Row) -> dict[str, str]:
    """Return which column each role is read from."""
    there = {str(name).lower(): str(name) for name in first}
    chosen: dict[str, str] = {}
    for column in kind.columns:
        wanted = [named[column.role]] if named.get(column.role) else column.names
        free = [there[name.lower()] for name in wanted if name.lower() in there]
        found = next((name for name in free if name not in chosen.values()), None)
        if found is None:
            raise ExamplesRefused(
                _("There is no column for “%(role)s”. The columns are: %(columns)s. Name it below.")
                % {"role": column.label, "columns": ", ".join(map(str, first))[:300]}
            )
        chosen[column.role] = found
    return chosen


def _matched(row: Row, kind: ExampleTask) -> Row:
    """Return the row where each word has its tag; raises ValueError."""
    if kind.target.form is Form.WORDS and len(row["input"]) != len(row["target"]):
        raise ValueError(
            _("it has %(tags)d tags for %(words)d words.") % {"tags": len(row["target"]), "words": len(row["input"])}
        )
    return row


def _value(record: Row, column: Column, name: str) -> Any:
    """Return a value in the form that its role has; raises ValueError with what is wrong."""
    raw = record.get(name)
    if isinstance(raw, str):
        raw = raw.strip()
        if len(raw) > MAX_CELL:
            raise ValueError(_("“%(name)s” has more than %(most)d characters.") % {"name": name, "most": MAX_CELL})
    if raw is None or raw == "":
        raise ValueError(_("“%(name)s” is empty.") % {"name": name})
    value = READERS[column.form](raw)
    if value is None:
        raise ValueError(_("“%(name)s” must be %(wanted)s.") % {"name": name, "wanted": _wanted(column.form)})
    written = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in written or any("\ud800" <= char <= "\udfff" for char in written):
        raise ValueError(_("“%(name)s” holds characters that cannot be written.") % {"name": name})
    return value


def _wanted(form: Form) -> str:
    return {
        Form.TEXT: _("text"),
        Form.LABEL: _("a name of at most %(most)d characters") % {"most": MAX_LABEL},
        Form.NUMBER: _("a number"),
        Form.NAMES: _("names with commas between them"),
        Form.WORDS: _("words with spaces between them"),
        Form.ANSWERS: _("text"),
    }[form]


def _text(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw else None


def _label(raw: Any) -> str | None:
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    if isinstance(raw, int):
        raw = str(raw)
    return raw if isinstance(raw, str) and 0 < len(raw) <= MAX_LABEL else None


def _number(raw: Any) -> float | None:
    try:
        value = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _names(raw: Any) -> list[str] | None:
    return _list(raw, r"\s*[,，;|]\s*")


def _words(raw: Any) -> list[str] | None:
    return _list(raw, r"\s+")


def _list(raw: Any, between: str) -> list[str] | None:
    if isinstance(raw, str):
        raw = _json(raw) if raw.startswith("[") else [part for part in re.split(between, raw) if part]
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_LIST:
        return None
    found = [_label(one) for one in raw]
    return [one for one in found if one is not None] if None not in found else None


def _answers(raw: Any) -> list[str] | None:
    if isinstance(raw, str) and raw.startswith(("[", "{")):
        raw = _json(raw) or raw
    if isinstance(raw, dict):  # as SQuAD has them
        raw = raw.get("text")
    found = raw if isinstance(raw, list) else [raw]
    return (
        found if 0 < len(found) <= MAX_ANSWERS and all(isinstance(one, str) and one.strip() for one in found) else None
    )


def _json(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


READERS: Mapping[Form, Callable[[Any], Any]] = {
    Form.TEXT: _text,
    Form.LABEL: _label,
    Form.NUMBER: _number,
    Form.NAMES: _names,
    Form.WORDS: _words,
    Form.ANSWERS: _answers,
}


def _labels(kind: ExampleTask, rows: Sequence[Row]) -> list[str]:
    """Return the labels that occur, sorted; refuses what nothing could be learned from."""
    role = kind.target.role
    if kind.target.form is Form.NUMBER and len({row[role] for row in rows}) == 1:
        raise ExamplesRefused(_("All the numbers are the same, so that nothing can be compared with them."))
    if kind.target.form is Form.LABEL:
        labels = {row[role] for row in rows}
    elif kind.target.form in (Form.NAMES, Form.WORDS):
        labels = {label for row in rows for label in row[role]}
    else:
        return []
    if kind.target.form is Form.WORDS:
        _check_tags(labels)
    if not 2 <= len(labels) <= MAX_LABELS:
        raise ExamplesRefused(
            _("The examples have %(n)d different labels; between 2 and %(most)d are needed.")
            % {"n": len(labels), "most": MAX_LABELS}
        )
    return sorted(labels)


def _check_tags(tags: set[str]) -> None:
    wrong = sorted(tag for tag in tags if tag != "O" and not (tag[:2] in ("B-", "I-") and len(tag) > 2))
    if wrong or "O" not in tags:
        raise ExamplesRefused(
            _("Tags are O, and B- and I- with the name of a type; found: %(tags)s.")
            % {"tags": ", ".join(wrong[:TOLD] or sorted(tags)[:TOLD])}
        )
