"""A table as people have it becomes one that can be learned from: UTF-8, with commas, or lines of JSON."""

import csv
import io
import json
import re
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from models_hub.adapting import samples
from models_hub.models import Repo
from models_hub.viewers import texts
from portal import bounded_json
from portal.errors import InvalidInput
from portal.names import MAX_NAME

# What a chooser of files offers. What a file is, its first bytes say; a spreadsheet is told how to become a table.
ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".xlsx", ".xls")
CODECS = {"GB18030": "gb18030", "UTF-16": "utf-16", "Latin-1": "cp1252"}
MAX_LIST, MAX_VALUES = 8 * 1024**2, 500_000  # of one JSON list, which is read as a whole


@dataclass(frozen=True)
class Table:
    """A file for a data set; `notes` say to its owner what was changed of it."""

    path: str
    content: bytes
    notes: list[str] = field(default_factory=list)


def as_table(content: bytes, name: str) -> Table:
    """Return the table that a file holds; raises InvalidInput that says what to mend."""
    if problem := samples.not_text(content, name):
        raise InvalidInput(problem, code="bad_table")
    text, notes = _decoded(content, name)
    kind = text[:4096].lstrip()[:1]
    if kind == "[":
        text = _lines_of_list(text, name)
        notes.append(_("The JSON list was written as lines of JSON."))
    elif kind != "{" and (sign := samples.separator(text)) != ",":
        text = _with_commas(text, sign, name)
        notes.append(_("It is written with commas between its cells now."))
    made = Table(f"train.{'jsonl' if kind in ('[', '{') else 'csv'}", text.encode() if notes else content, notes)
    start = made.content[: samples.BYTES]
    sample = samples.of_bytes(start, name, is_whole=len(start) == len(made.content))
    if sample.problem:
        raise InvalidInput(sample.problem, code="bad_table")
    return made


def free_name(file_name: str, owner: str) -> str:
    """Return a name for the data set of a file that nothing of the owner has yet."""
    stem = (
        re.sub(r"[^A-Za-z0-9]+", "-", file_name.rpartition(".")[0] or file_name).strip("-")[: MAX_NAME - 10] or "table"
    )
    taken = set(Repo.objects.owned_by(owner).filter(kind=Repo.Kind.DATASET).values_list("lower", flat=True))
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}").lower() in taken:
        number += 1
    return name


def _decoded(content: bytes, name: str) -> tuple[str, list[str]]:
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        found = texts.decode(content)
        if found is None:
            raise InvalidInput(
                _("%(path)s is no text. Take a CSV file, or lines of JSON.") % {"path": name}, code="bad_table"
            ) from None
        if found[1] not in CODECS:
            values = {"path": name, "line": content.count(b"\n", 0, error.start) + 1}
            message = _("%(path)s, line %(line)d: bytes that are no text. Save the file as UTF-8 and bring it again.")
            raise InvalidInput(message % values, code="bad_table") from None
    text = content.decode(CODECS[found[1]], "replace").removeprefix("\ufeff")
    return text, [_("It was encoded as %(encoding)s and is written as UTF-8 now.") % {"encoding": found[1]}]


def _lines_of_list(text: str, name: str) -> str:
    rows = None
    if len(text) <= MAX_LIST:
        try:
            rows = bounded_json.loads(text.encode(), values=MAX_VALUES)
        except (ValueError, RecursionError):
            rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = _(
            "%(path)s is no list of JSON objects of at most %(max)d MB. Write each object on a line of its own."
        )
        raise InvalidInput(message % {"path": name, "max": MAX_LIST // 1024**2}, code="bad_table")
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _with_commas(text: str, sign: str, name: str) -> str:
    """Return a table with commas for another sign between its cells."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    reader = csv.reader(io.StringIO(text), delimiter=sign, strict=True)
    try:
        writer.writerows(cells for cells in reader if cells)
    except csv.Error as error:
        values = {"path": name, "line": reader.line_num, "cause": str(error)[:100]}
        message = _("%(path)s, line %(line)s: this is no CSV (%(cause)s). Look for a quotation mark not closed.")
        raise InvalidInput(message % values, code="bad_table") from None
    return made.getvalue()
