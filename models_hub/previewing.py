"""What the page of a file shows of it: decided by its name, its size and its first bytes."""

import csv
import io
import json
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from models_hub import browsing, contents
from models_hub.browsing import Entry
from models_hub.headers.safetensors import Tensor, read_safetensors_header
from models_hub.models import Repo
from portal.errors import InvalidInput

MAX_TEXT_BYTES = 1_000_000
MAX_TABLE_BYTES = 300_000
MAX_ROWS = 100
MAX_COLUMNS = 50
MAX_CELL = 500
MAX_TENSORS = 1000
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
TABLES = (".csv", ".tsv", ".jsonl")
# Formats that run code of their author when they are loaded.
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")


@dataclass(frozen=True)
class Preview:
    """`kind` is markdown, text, table, tensors, image or none; the other fields belong to one kind each."""

    kind: str
    text: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    is_cut: bool = False
    problem: str = ""


def preview(repo: Repo, entry: Entry) -> Preview:
    """Return what to show of a file; reads at most the first megabyte, or a safetensors header."""
    name = entry.name.lower()
    if entry.blob and entry.blob.awaited_by:
        return Preview(
            "none", problem=_("This file is still with the upstream hub; it is fetched when it is downloaded.")
        )
    if name.endswith(IMAGES):
        return Preview("image")
    if name.endswith(".safetensors") and entry.blob:
        return _tensors(entry)
    if name.endswith(TABLES):
        return _table(name, *_text(repo, entry, MAX_TABLE_BYTES))
    if entry.size > MAX_TEXT_BYTES:
        return Preview("none", problem=_("This file is too large to be shown here."))
    data = browsing.read(repo, entry, MAX_TEXT_BYTES)
    if b"\x00" in data:
        return Preview("none", problem=_("This is a binary file."))
    text = data.decode("utf-8", "replace")
    if name.endswith((".md", ".markdown")):
        return Preview("markdown", text=text)
    return Preview("text", text=_pretty_json(text) if name.endswith(".json") else text)


def runs_code(path: str) -> bool:
    """Say whether a file is of a format that may run its author's code when it is loaded."""
    return path.lower().endswith(PICKLES)


def _text(repo: Repo, entry: Entry, limit: int) -> tuple[str, bool]:
    """Return the beginning of a file in whole lines, and whether there is more of it."""
    data = browsing.read(repo, entry, limit)
    is_cut = entry.size > limit
    if is_cut and b"\n" in data:
        data = data[: data.rindex(b"\n") + 1]
    return data.decode("utf-8-sig", "replace"), is_cut


def _tensors(entry: Entry) -> Preview:
    assert entry.blob is not None
    try:
        tensors = read_safetensors_header(contents.BlobReader(entry.blob), entry.size, entry.path)
    except InvalidInput as error:
        return Preview("none", problem=error.message)
    return Preview("tensors", tensors=tensors[:MAX_TENSORS], is_cut=len(tensors) > MAX_TENSORS)


def _table(name: str, text: str, is_cut: bool) -> Preview:
    """Return the first rows as a table, or the plain text when it is not one."""
    try:
        columns, rows = _read_jsonl(text) if name.endswith(".jsonl") else _read_csv(text, name)
    except (ValueError, RecursionError, csv.Error):
        return Preview("text", text=text, is_cut=is_cut)
    if not columns:
        return Preview("text", text=text, is_cut=is_cut)
    cells = [[_cell(row.get(column, "")) for column in columns[:MAX_COLUMNS]] for row in rows[:MAX_ROWS]]
    is_cut = is_cut or len(rows) > MAX_ROWS or len(columns) > MAX_COLUMNS
    return Preview("table", columns=[_cell(column) for column in columns[:MAX_COLUMNS]], rows=cells, is_cut=is_cut)


def _read_jsonl(text: str) -> tuple[list[str], list[dict[str, object]]]:
    rows = [json.loads(line) for line in text.splitlines()[: MAX_ROWS + 1] if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line is not an object")
    return list(dict.fromkeys(key for row in rows for key in row)), rows


def _read_csv(text: str, name: str) -> tuple[list[str], list[dict[str, object]]]:
    reader = csv.reader(io.StringIO(text), delimiter="\t" if name.endswith(".tsv") else ",")
    columns = next(reader, [])
    lines = [line for _index, line in zip(range(MAX_ROWS + 1), reader, strict=False)]
    return columns, [dict(zip(columns, line, strict=False)) for line in lines]


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:MAX_CELL] + ("…" if len(text) > MAX_CELL else "")


def _pretty_json(text: str) -> str:
    """Spread JSON that was written on one line; anything else stays as it is."""
    if text.count("\n") > 2:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
