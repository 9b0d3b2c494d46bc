"""Sets to be searched: queries, a collection and judgements, each in files of its own.

The queries become the rows; the documents become a file beside them.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from leaderboard.catalogue import files, rows, shaping, sources
from leaderboard.catalogue.entries import Source
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.refusals import ImportRefused, shown

CORPUS = "corpus.jsonl"
MAX_DOCUMENTS = 200_000
MAX_BYTES = 128 * 1024**2
MAX_ID = 256


def rows_of(source: Source, uploads: Sequence[Upload], read: list[str], folder: Path) -> Iterator[rows.Row | None]:
    """Yield a row for each judged query, None for one whose documents are all missing; `read` gets names of files."""
    assert source.corpus is not None
    assert source.judgements is not None
    judged: dict[str, dict[str, float]] = defaultdict(dict)
    for judgement in _rows(source.judgements, uploads, read, folder):
        if judgement["gain"] > 0:
            judged[judgement["query"]][judgement["document"]] = judgement["gain"]
    known = _write(_rows(source.corpus, uploads, read, folder), folder / CORPUS)
    for query in _rows(source, uploads, read, folder):
        relevant = {name: gain for name, gain in judged.get(query["id"], {}).items() if name in known}
        if relevant:
            yield rows.checked("text-retrieval", {**query, "relevant": relevant}, ())
        elif query["id"] in judged:
            yield None


def _rows(source: Source, uploads: Sequence[Upload], read: list[str], folder: Path) -> Iterator[rows.Row]:
    found = False
    for name, file in files.matching(uploads, source.files):
        found = True
        read.append(name)
        for number, record in sources.records(source, name, file, folder):
            try:
                yield shaping.shaped(_without_nothing(record), source.row)
            except ImportRefused as error:
                raise ImportRefused(error.code, **{"file": shown(name), "line": number} | error.data) from error
    if not found:
        raise ImportRefused("no_such_file", expected=", ".join(source.files), found=shown(uploads[0].name))


def _without_nothing(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with empty text where there is none, such as documents without a title."""
    return {name: "" if value is None else value for name, value in record.items()}


def _write(documents: Iterator[rows.Row], path: Path) -> set[str]:
    known: set[str] = set()
    size = 0
    with path.open("w", encoding="utf-8", newline="\n") as target:
        for row in documents:
            # Some collections hold documents without a word; none of them can be found.
            if not f"{row.get('title', '')}{row['text']}".strip():
                continue
            if not 0 < len(row["id"]) <= MAX_ID or row["id"] in known:
                raise ImportRefused("unknown_value", column="id", value=shown(row["id"]))
            rows.checked_text("text", f"{row.get('title', '')}{row['text']}")
            line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
            size += len(line.encode())
            if size > MAX_BYTES:
                raise ImportRefused("too_many_bytes", most=MAX_BYTES // 1024**2)
            if len(known) >= MAX_DOCUMENTS:
                raise ImportRefused("too_many_rows", most=MAX_DOCUMENTS)
            known.add(row["id"])
            target.write(line)
    return known
