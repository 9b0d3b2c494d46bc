"""From published files to rows: find the source that the files fit, read, shape and check every record."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from leaderboard.catalogue import files, preparing, reading, rows, searching, shaping, sources
from leaderboard.catalogue.entries import Entry, Source
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.refusals import ImportRefused, shown

MAX_ROWS = 200_000
_SPLIT = re.compile(r"_(?:test|val|dev)$")
MAX_OUT = 128 * 1024**2
EXAMPLES = "train.jsonl"  # beside the rows
MAX_EXAMPLES = 2000


@dataclass
class Imported:
    """What came of the files."""

    rows: int = 0
    # Records that their publishers left without an answer.
    left_out: int = 0
    # Rows that prompts may show.
    examples: int = 0
    files: list[str] = field(default_factory=list)


def import_files(entry: Entry, uploads: Sequence[Upload], out: Path) -> Imported:
    """Write the rows of a set as JSON lines, and beside them those that prompts may show; raises ImportRefused."""
    imported = Imported()
    _write(out, rows_of(entry, uploads, imported, out.parent))
    examples = list(_examples(entry, uploads, imported, out.parent))
    if examples:
        imported.examples = len(examples)
        _write(out.with_name(EXAMPLES), examples)
    return imported


def _write(out: Path, found: Iterable[dict[str, Any]]) -> None:
    size = 0
    with out.open("w", encoding="utf-8", newline="\n") as target:
        for row in found:
            line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
            size += len(line.encode())
            if size > MAX_OUT:
                raise ImportRefused("too_many_bytes", most=MAX_OUT // 1024**2)
            target.write(line)


def rows_of(entry: Entry, uploads: Sequence[Upload], imported: Imported, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield every row with an id of its own."""
    source, uploads = choose(entry, uploads)
    found = (
        searching.rows_of(source, uploads, imported.files, folder)
        if source.corpus
        else _rows_in(entry, source, uploads, imported.files, folder)
    )
    for row in found:
        if row is None:
            imported.left_out += 1
            continue
        if imported.rows >= MAX_ROWS:
            raise ImportRefused("too_many_rows", most=MAX_ROWS)
        yield {"id": f"{imported.rows:06d}", **row}
        imported.rows += 1
    if not imported.rows:
        raise ImportRefused("no_rows", expected=", ".join(source.files))


def _examples(entry: Entry, uploads: Sequence[Upload], imported: Imported, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows that prompts may show, none where their files are not there."""
    source, uploads = choose(entry, uploads)
    if not source.examples or not any(files.fits(name, source.examples) for name in files.names_in(uploads)):
        return
    shown_rows = _rows_in(entry, replace(source, files=source.examples), uploads, imported.files, folder)
    for number, row in enumerate(islice((row for row in shown_rows if row is not None), MAX_EXAMPLES)):
        yield {"id": f"{number:06d}", **row}


def _rows_in(
    entry: Entry, source: Source, uploads: Sequence[Upload], read: list[str], folder: Path
) -> Iterator[dict[str, Any] | None]:
    """Yield every row, None for a record that its publishers left without an answer."""
    for name, file in files.matching(uploads, source.files):
        read.append(name)
        beside = _Beside(source, name, uploads)
        for number, record in sources.records(source, name, file, folder):
            try:
                made = _rows_of(entry, source, name, beside.joined(number, record))
            except shaping.LeftOut:
                yield None
                continue
            except ImportRefused as error:
                raise ImportRefused(error.code, **{"file": shown(name), "line": number} | error.data) from error
            yield from made


def choose(entry: Entry, uploads: Sequence[Upload]) -> tuple[Source, Sequence[Upload]]:
    """Return the source whose files are there; a single file under another name is taken for one by its ending."""
    names = files.names_in(uploads)
    for source in entry.sources:
        if all(any(files.fits(name, part.files) for name in names) for part in source.parts):
            return source, uploads
    if len(uploads) == 1 and not files.is_archive(uploads[0].name):
        ending = _ending(uploads[0].name)
        for source in entry.sources:
            needs_name = source.beside or source.file_column or source.corpus
            if ending == _ending(source.files[0]) and not needs_name:
                return source, [Upload(source.files[0].replace("*", "-"), uploads[0].path)]
    expected = sorted({pattern for source in entry.sources for part in source.parts for pattern in part.files})
    raise ImportRefused("no_such_file", expected=", ".join(expected[:8]), found=shown(", ".join(names[:3])))


def _ending(name: str) -> str:
    return name.lower().removesuffix(".gz").rpartition(".")[2]


def _rows_of(entry: Entry, source: Source, name: str, record: dict[str, Any]) -> list[dict[str, Any]]:
    if any(shaping.as_text(shaping.found(record, path)) != wanted for path, wanted in source.where.items()):
        return []
    if source.file_column:
        file = Path(name.replace("\\", "/")).name
        record = {**record, source.file_column: _SPLIT.sub("", file.partition(".")[0]), "file_name": file}
    prepared = preparing.PREPARATIONS[source.prepare](record) if source.prepare else [record]
    made = []
    for each in prepared:
        row = shaping.shaped(each, source.row)
        made.append(rows.checked(entry.task, _with_answers(each, row), entry.labels))
    return made


def _with_answers(record: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a question about a passage with its answers: {text, start} each, none for the unanswerable."""
    if "context" not in row or "answers" not in record:
        return row
    answers = record["answers"]
    if isinstance(answers, dict):  # the columns of the Hugging Face versions
        texts, starts = answers.get("text") or [], answers.get("answer_start") or []
        answers = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=False)]
    if not isinstance(answers, list):
        raise ImportRefused("not_texts", value=shown(answers))
    # The passage stays as it is, spaces at its beginning included: places in it are counted from there.
    context = record["context"] if isinstance(record.get("context"), str) else row["context"]
    return row | {"context": context, "answers": [_answer(answer) for answer in answers]}


def _answer(answer: Any) -> dict[str, Any]:
    start = answer.get("answer_start") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(start, int | None) or isinstance(start, bool):
        raise ImportRefused("bad_offset", value=shown(answer))
    text = answer.get("text", "")
    spaces = len(text) - len(text.lstrip()) if isinstance(text, str) else 0
    return {"text": shaping.as_text(text), "start": None if start is None else start + spaces}


class _Beside:
    """The second file of a source: answers by the line, or a document of them."""

    def __init__(self, source: Source, name: str, uploads: Sequence[Upload]) -> None:
        self._lines: list[str] | None = None
        self._document: Any = None
        if not source.beside:
            return
        for beside, file in files.matching(uploads, [source.beside]):
            if beside.endswith(".json"):
                self._document = reading.document(beside, file)
            else:
                self._lines = [text for _number, text in reading.plain_lines(beside, file)]
            return
        raise ImportRefused("no_such_file", expected=source.beside, found=shown(name))

    def joined(self, number: int, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record with its answer."""
        if self._document is not None:
            return {**record, "beside": self._document}
        if self._lines is None:
            return record
        if number > len(self._lines):
            raise ImportRefused("uneven_files", line=number)
        return {**record, "beside": self._lines[number - 1]}
