"""Rows of benchmarks and answers of models as a page shows some of them: of the first megabyte of their files."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.marking import Piece
from leaderboard.models import Benchmark
from leaderboard.pictures import Picture
from models_hub import browsing
from models_hub.browsing import EntryNotFound, RevisionNotFound

SHOWN = 12
MAX_BYTES = 1_000_000
MAX_IMAGE_BYTES = 4_000_000  # rows with images are long
MAX_TEXT = 600

Row = dict[str, Any]
Pairs = Iterable[tuple[Row, Row]]


@dataclass(frozen=True)
class Option:
    """One of several answers to choose from; `verdict` is right, given or nothing."""

    text: str
    verdict: str


@dataclass(frozen=True)
class Drawn:
    """A box on a picture; `verdict` is missed, right or wrong."""

    label: str
    left: float
    top: float
    width: float
    height: float
    verdict: str


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
    # What was looked at, and boxes on it where things in it are asked for.
    picture: Picture | None = None
    boxes: Sequence[Drawn] = ()
    # All answers that there were to choose from, and how much likelier the given one was than the right one: the
    # difference of their natural logarithms.
    options: Sequence[Option] = ()
    margin: float | None = None
    # The likeliest words for a gap, with how likely each is.
    guesses: Sequence[tuple[str, int | float]] = ()
    # Why a text that a model wrote ends: by itself, at a stop text, or at its length; "" where it wrote none.
    stopped: str = ""
    # How many bits each byte of the text took.
    bits: float | None = None


def rows_in(benchmark: Benchmark, path: str) -> Iterator[Row]:
    """Yield the first rows of a data file of a benchmark; none where it is gone."""
    try:
        commit = browsing.resolve_revision(benchmark.dataset, benchmark.commit_oid)
        most = MAX_IMAGE_BYTES if benchmark.kind.reads_images else MAX_BYTES
        data = browsing.read(benchmark.dataset, browsing.find(benchmark.dataset, commit, path), most)
    except (EntryNotFound, RevisionNotFound):
        return
    yield from _csv_rows(data) if path.endswith(".csv") else json_lines(data)


def value_in(value: object) -> object:
    """Return a value that CSV holds as JSON; None where it is text and no JSON."""
    if isinstance(value, str):
        return next((row["value"] for row in json_lines(f'{{"value": {value}}}'.encode())), None)
    return value


def list_in(value: object) -> list[object]:
    """Return a list, which CSV holds as JSON; an empty one for anything else."""
    found = value_in(value)
    return found if isinstance(found, list) else []


def label_in(value: object, labels: list[str]) -> str | None:
    """Return the label of a row, which many data sets store as its position."""
    text = str(value)
    if text in labels:
        return text
    return labels[int(text)] if text.isascii() and text.isdigit() and int(text) < len(labels) else None


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
