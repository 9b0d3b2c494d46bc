"""Leafing through what a model got wrong: a stretch of the data and of the answers at a time, and only those asked for.

A page says where the next one begins, in bytes of both files, so that each costs the same however far in it lies.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.core import signing

from leaderboard.examples import MAX_BYTES, MAX_IMAGE_BYTES, SHOWN, Mistake, Row, label_in, list_in
from leaderboard.mistakes import READERS, labels_in
from leaderboard.models import Benchmark, Evaluation
from models_hub import browsing, contents
from models_hub.browsing import EntryNotFound, RevisionNotFound

# Kinds of which a page shows those farthest off of so many rows: there is no line between right and wrong.
STRETCH = 100
GRADED = frozenset({Benchmark.Task.REGRESSION, Benchmark.Task.SENTENCE_SIMILARITY, Benchmark.Task.LANGUAGE_MODELING})
# Kinds of which every row can be shown, a dozen at a time; how far off a pair is shows among many alone.
ROW_BY_ROW = GRADED - {Benchmark.Task.SENTENCE_SIMILARITY}
# Kinds with a probability for the one label that is given.
SURE = frozenset(
    {Benchmark.Task.TEXT_CLASSIFICATION, Benchmark.Task.PAIR_CLASSIFICATION, Benchmark.Task.IMAGE_CLASSIFICATION}
)
# Kinds that give labels; of tags their types.
LABELLED = SURE | {Benchmark.Task.MULTI_LABEL, Benchmark.Task.TOKEN_CLASSIFICATION}
MAX_HEADER = 65_536
_SIGNER = signing.Signer(salt="leafing", sep=".")

Read = Callable[[int, int], bytes]  # from which byte, how many


@dataclass(frozen=True)
class Place:
    """Where a page begins: the number of its first row, and the bytes at which that begins in both files."""

    row: int = 0
    data: int = 0
    answers: int = 0

    @classmethod
    def of(cls, text: str) -> "Place":
        """Return the place that `str` wrote, the beginning for anything else: rows and answers must not part."""
        try:
            return cls(*(int(part) for part in _SIGNER.unsign(text).split("-")))
        except (signing.BadSignature, TypeError, ValueError):
            return cls()

    def __str__(self) -> str:
        return _SIGNER.sign(f"{self.row}-{self.data}-{self.answers}")


@dataclass(frozen=True)
class Wanted:
    """Which wrong answers are asked for; "" and None ask for all."""

    right: str = ""
    given: str = ""
    least: float | None = None  # confidence
    most: float | None = None
    text: str = ""
    each: bool = False  # of ROW_BY_ROW: not only those that are farthest off

    def fits(self, benchmark: Benchmark, row: Row, answer: Row) -> bool:
        if self.text and not any(self.text.casefold() in _said(value).casefold() for value in row.values()):
            return False
        if benchmark.task not in LABELLED:
            return True
        if self.right and self.right not in _right(benchmark, row):
            return False
        if self.given and self.given not in _given(answer):
            return False
        if self.least is None and self.most is None:
            return True
        sure = _sureness(answer)
        return sure is not None and (self.least or 0) <= sure <= (1 if self.most is None else self.most)


@dataclass(frozen=True)
class Page:
    """Wrong answers of the rows from `first` up to `last`, counted from 1, and where the next page begins."""

    mistakes: list[Mistake] = field(default_factory=list)
    first: int = 1
    last: int = 0
    next: Place | None = None


def leaf(evaluation: Evaluation, place: Place, wanted: Wanted) -> Page:
    """Return the wrong answers that follow a place, of no more than one stretch of either file."""
    benchmark, read = evaluation.benchmark, READERS.get(evaluation.benchmark.task)
    if evaluation.predictions is None or read is None:
        return Page()
    stretch = _Stretch(evaluation, place, each=wanted.each)
    fitting = ((row, answer) for row, answer in stretch if wanted.fits(benchmark, row, answer))
    found = read(benchmark, fitting)
    return Page(found, place.row + 1, stretch.place.row, stretch.next)


class _Stretch:
    """Rows with their answers from a place on; it knows where the next one begins, whenever its reader stops."""

    def __init__(self, evaluation: Evaluation, place: Place, *, each: bool = False) -> None:
        benchmark = evaluation.benchmark
        self.place = self._begin = place
        self._most = (SHOWN if each else STRETCH) if benchmark.task in GRADED else None
        size, read = _file_of(benchmark)
        length = MAX_IMAGE_BYTES if benchmark.kind.reads_images else 2 * MAX_BYTES
        blob = evaluation.predictions
        assert blob is not None  # asked before
        data, answers = read(place.data, length), b"".join(contents.stream(blob, place.answers, length))
        self._rows = _Lines(data, place.data, is_end=place.data + len(data) >= size)
        self._answers = _Lines(answers, place.answers, is_end=place.answers + len(answers) >= blob.size)
        is_csv = benchmark.split_path.endswith(".csv")
        self._records = _csv_rows(self._rows, read) if is_csv else _objects(self._rows)

    def __iter__(self) -> Iterator[tuple[Row, Row]]:
        # The engine answers in the order of the data.
        for row, answer in zip(self._records, _objects(self._answers), strict=False):
            self.place = Place(self.place.row + 1, self._rows.place, self._answers.place)
            yield row, answer
            if self._most is not None:
                self._most -= 1
                if not self._most:
                    return

    @property
    def next(self) -> Place | None:
        """Where the next stretch begins; None at the end, and where something cannot be read on."""
        is_over = self._rows.is_over or self._answers.is_over or self.place == self._begin
        return None if is_over else self.place


class _Lines(Iterator[str]):
    """The whole lines of a piece of a file, and at which byte of the file the next one begins."""

    def __init__(self, data: bytes, start: int, *, is_end: bool) -> None:
        self._data, self._at, self._start, self._is_end = data, 0, start, is_end
        self.ran_out = False

    def __next__(self) -> str:
        end = self._data.find(b"\n", self._at)
        if self._at >= len(self._data) or (end < 0 and not self._is_end):
            self.ran_out = True
            raise StopIteration
        begin, self._at = self._at, len(self._data) if end < 0 else end + 1
        is_first = begin + self._start == 0
        return self._data[begin : self._at].decode("utf-8-sig" if is_first else "utf-8", "replace")

    @property
    def place(self) -> int:
        return self._start + self._at

    @property
    def is_over(self) -> bool:
        """Say whether the file ends here."""
        return self._is_end and self._at >= len(self._data)

    @property
    def was_cut(self) -> bool:
        return self.ran_out and not self._is_end


def _objects(lines: _Lines) -> Iterator[Row]:
    for line in lines:
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return
        yield value if isinstance(value, dict) else {}


def _csv_rows(lines: _Lines, read: Read) -> Iterator[Row]:
    try:
        header = next(csv.reader(_Lines(read(0, MAX_HEADER), 0, is_end=True)), [])
        is_header = lines.place == 0
        for cells in csv.reader(lines):
            if lines.was_cut:  # in the middle of a record
                return
            if cells and not is_header:
                yield dict(zip(header, cells, strict=False))
            is_header = is_header and not cells
    except csv.Error:
        return


def _file_of(benchmark: Benchmark) -> tuple[int, Read]:
    """Return the size of the data file and a way to read parts of it; an empty one where it is gone."""
    dataset = benchmark.dataset
    try:
        commit = browsing.resolve_revision(dataset, benchmark.commit_oid)
        entry = browsing.find(dataset, commit, benchmark.split_path)
    except (EntryNotFound, RevisionNotFound):
        return 0, lambda start, length: b""
    return entry.size, lambda start, length: b"".join(
        browsing.stream(dataset, entry, start, max(0, min(length, entry.size - start)))
    )


def labels_of(benchmark: Benchmark) -> list[str]:
    """Return what wrong answers can be filtered by: labels, or the types that tags are of."""
    if benchmark.task == Benchmark.Task.TOKEN_CLASSIFICATION:
        return sorted(_types(benchmark.labels))
    return benchmark.labels if benchmark.task in LABELLED else []


def _right(benchmark: Benchmark, row: Row) -> set[str]:
    value = row.get(benchmark.fields["target"])
    if benchmark.task == Benchmark.Task.TOKEN_CLASSIFICATION:
        return _types(label_in(tag, benchmark.labels) for tag in list_in(value))
    if benchmark.task == Benchmark.Task.MULTI_LABEL:
        return labels_in(value, benchmark.labels) or set()
    label = label_in(value, benchmark.labels)
    return set() if label is None else {label}


def _given(answer: Row) -> set[str]:
    if isinstance(tags := answer.get("tags"), list):
        return _types(tags)
    labels = answer.get("labels", [answer.get("label")])
    return {str(label) for label in labels} if isinstance(labels, list) else set()


def _types(tags: Iterable[object]) -> set[str]:
    return {str(tag).partition("-")[2] for tag in tags} - {""}


def _said(value: object) -> str:
    """Return the text of a value; words of a list both with and without spaces between them, as languages write."""
    if not isinstance(value, list):
        return str(value)
    words = [str(word) for word in value]
    return f"{' '.join(words)}\n{''.join(words)}"


def _sureness(answer: Row) -> float | None:
    scores = answer.get("scores")
    sure = scores.get(answer.get("label")) if isinstance(scores, dict) else None
    return float(sure) if isinstance(sure, int | float) else None
