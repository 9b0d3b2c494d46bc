"""Rows of benchmarks and answers of models as a page shows some of them: of the first megabyte of their files."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.marking import Piece
from leaderboard.models import Benchmark
from models_hub import browsing
from models_hub.browsing import EntryNotFound, RevisionNotFound

SHOWN = 12
MAX_BYTES = 1_000_000
MAX_TEXT = 600

Row = dict[str, Any]
Pairs = Iterable[tuple[Row, Row]]


@dataclass(frozen=True)
class Mistake:
    """One example, the answer that is right and the one that was given."""

    id: str
    text: str
    text2: str
    label: str
    answer: str
    confidence: float | None
    # The text with what is right and what was given marked in it, where both are parts of it.
    pieces: Sequence[Piece] = ()
    # Where the first right one stands in an order, "" where nothing is put in order.
    place: str = ""


def rows_in(benchmark: Benchmark, path: str) -> Iterator[Row]:
    """Yield the first rows of a data file of a benchmark; none where it is gone."""
    try:
        commit = browsing.resolve_revision(benchmark.dataset, benchmark.commit_oid)
        data = browsing.read(benchmark.dataset, browsing.find(benchmark.dataset, commit, path), MAX_BYTES)
    except (EntryNotFound, RevisionNotFound):
        return
    yield from _csv_rows(data) if path.endswith(".csv") else json_lines(data)


def list_in(value: object) -> list[object]:
    """Return a list, which CSV holds as JSON; an empty one for anything else."""
    if isinstance(value, str):
        value = next((row["list"] for row in json_lines(f'{{"list": {value}}}'.encode())), None)
    return value if isinstance(value, list) else []


def json_lines(data: bytes) -> Iterator[Row]:
    """Yield the objects of JSON lines, up to the first that is none: the last line of what was cut."""
    for line in data.decode("utf-8-sig", "replace").split("\n"):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value


def _csv_rows(data: bytes) -> Iterator[Row]:
    try:
        yield from csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace")))
    except csv.Error:
        return
