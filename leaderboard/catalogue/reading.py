"""Bytes to records: lines of JSON, one JSON document, cells with commas or tabs, columns of tags, plain lines."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from leaderboard.catalogue.refusals import ImportRefused, shown

Record = dict[str, Any]
Options = Mapping[str, Any]

MAX_LINE = 4 * 1024**2
MAX_DOCUMENT = 128 * 1024**2
MAX_SENTENCE = 5000


def records(name: str, file: BinaryIO, reader: str, options: Options) -> Iterator[tuple[int, Record]]:
    """Yield each record of a file with the number of its line, or its place in a document."""
    return READERS[reader](_File(name, file, options.get("encoding", "utf-8")), options)


class _File:
    """The numbered lines of a file, as text."""

    def __init__(self, name: str, file: BinaryIO, encoding: str) -> None:
        self.name = name
        self._file = file
        self._encoding = encoding

    def refused(self, code: str, number: int | None = None, **data: Any) -> ImportRefused:
        return ImportRefused(code, file=shown(self.name), **({} if number is None else {"line": number}), **data)

    def lines(self) -> Iterator[tuple[int, str]]:
        # Only "\n" ends a line: str.splitlines would also cut at U+2028, which text may hold.
        number = 0
        while line := self._file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise self.refused("long_line", number)
            yield number, self._decoded(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, number)

    def document(self) -> Any:
        raw = self._file.read(MAX_DOCUMENT + 1)
        if len(raw) > MAX_DOCUMENT:
            raise self.refused("too_large", most=MAX_DOCUMENT // 1024**2)
        return self.parsed(self._decoded(raw.removeprefix(b"\xef\xbb\xbf"), None), None)

    def parsed(self, text: str, number: int | None) -> Any:
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise self.refused("bad_json", number, cause=shown(error)) from error

    def _decoded(self, raw: bytes, number: int | None) -> str:
        try:
            return raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            raise self.refused("bad_encoding", number, encoding=self._encoding) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _json_lines(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    for number, line in file.lines():
        if line.strip():
            yield number, _named(file, number, file.parsed(line, number), options)


def _json(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    """Yield the items of a list, or of the lists under the keys in `under`; lines of JSON are understood as well."""
    document = file.document()
    number = 0
    for key in options.get("under", [None]):
        items = document if key is None else document.get(key) if isinstance(document, dict) else None
        if not isinstance(items, list):
            raise file.refused("not_a_list", key=key or "")
        for item in items:
            number += 1
            yield number, _named(file, number, item, options)


def _named(file: _File, number: int, item: Any, options: Options) -> Record:
    """Return an object as it is, and the values of a list under the names in `columns`."""
    columns = options.get("columns")
    if isinstance(item, list) and columns:
        if len(item) != len(columns):
            raise file.refused("wrong_width", number, found=len(item), expected=len(columns))
        return dict(zip(columns, item, strict=True))
    if not isinstance(item, dict):
        raise file.refused("not_an_object", number)
    return item


def _cells(file: _File, options: Options, *, delimiter: str, quoting: int) -> Iterator[tuple[int, Record]]:
    columns: list[str] | None = options.get("columns")
    skips_header = bool(options.get("has_header", columns is None))
    csv.field_size_limit(MAX_LINE)
    rows = csv.reader((line for _number, line in file.lines()), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]  # one of csv's own
    try:
        for cells in rows:
            if not cells:
                continue
            if skips_header:
                columns, skips_header = columns or [cell.strip() for cell in cells], False
                continue
            assert columns is not None
            # Some published tables have more columns in a few lines; what is beyond the named ones is never asked for.
            if len(cells) < options.get("least", len(columns)):
                raise file.refused("wrong_width", rows.line_num, found=len(cells), expected=len(columns))
            yield rows.line_num, dict(zip(columns, cells, strict=False))
    except csv.Error as error:
        raise file.refused("bad_csv", rows.line_num, cause=shown(error)) from error


def _csv(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    return _cells(file, options, delimiter=options.get("delimiter", ","), quoting=csv.QUOTE_MINIMAL)


def _tsv(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    # Quotes in these files are quotes of the text, and often stand alone.
    return _cells(file, options, delimiter="\t", quoting=csv.QUOTE_NONE)


def _lines(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    for number, line in file.lines():
        if text := line.strip():
            yield number, {"line": text}


def _columns(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    """Yield sentences of a file with one token a line: {"tokens", "tags"}; an empty line ends a sentence."""
    token_at, tag_at = options.get("token", 0), options.get("tag", -1)
    tokens: list[str] = []
    tags: list[str] = []
    number = 0
    for number, line in file.lines():
        cells = line.rstrip("\r\n").split(options.get("delimiter"))
        if not any(cell.strip() for cell in cells):
            if tokens:
                yield number, {"tokens": tokens, "tags": tags}
            tokens, tags = [], []
            continue
        if cells[0] == "-DOCSTART-":
            continue
        if len(cells) < 2 or len(tokens) >= MAX_SENTENCE:
            raise file.refused("wrong_width", number, found=len(cells), expected=2)
        tokens.append(cells[token_at].strip())
        tags.append(cells[tag_at].strip())
    if tokens:
        yield number, {"tokens": tokens, "tags": tags}


def _squad(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    """Yield the questions of a document like SQuAD’s, each with its passage; or of CMRC 2018’s own, without places."""
    document = file.document()
    number = 0
    for article in _list(file, document, "data") if isinstance(document, dict) else _each(file, document):
        is_cmrc = "context_text" in article
        for paragraph in [article] if is_cmrc else _list(file, article, "paragraphs"):
            for question in _list(file, paragraph, "qas"):
                number += 1
                yield (
                    number,
                    _of_cmrc(article, question) if is_cmrc else {**question, "context": paragraph.get("context")},
                )


def _of_cmrc(article: Record, question: Record) -> Record:
    answers = [{"text": text} for text in question.get("answers") or []]
    return {"context": article["context_text"], "question": question.get("query_text"), "answers": answers}


def _c3(file: _File, options: Options) -> Iterator[tuple[int, Record]]:
    """Yield the questions of C3: lists of [[sentences], [questions], id]."""
    number = 0
    for item in _array(file, file.document()):
        if not isinstance(item, list) or len(item) < 2 or not isinstance(item[0], list):
            raise file.refused("not_a_list", key="")
        passage = "\n".join(str(sentence) for sentence in item[0])
        for question in _each(file, item[1]):
            number += 1
            yield number, {**question, "passage": passage}


def _list(file: _File, value: Any, key: str) -> list[Record]:
    if not isinstance(value, dict) or not isinstance(value.get(key), list):
        raise file.refused("not_a_list", key=key)
    return _each(file, value[key])


def _each(file: _File, value: Any) -> list[Record]:
    for item in _array(file, value):
        if not isinstance(item, dict):
            raise file.refused("not_an_object")
    items: list[Record] = value
    return items


def _array(file: _File, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise file.refused("not_a_list", key="")
    return value


READERS: dict[str, Callable[[_File, Options], Iterator[tuple[int, Record]]]] = {
    "jsonl": _json_lines,
    "json": _json,
    "csv": _csv,
    "tsv": _tsv,
    "lines": _lines,
    "columns": _columns,
    "squad": _squad,
    "c3": _c3,
}


def document(name: str, file: BinaryIO) -> Any:
    """Return a whole JSON document."""
    return _File(name, file, "utf-8").document()


def plain_lines(name: str, file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers."""
    for number, line in _File(name, file, "utf-8").lines():
        yield number, line.strip()
