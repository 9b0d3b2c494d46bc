"""Examples on which two models differ, with what each of the compared answered: of tests with public rows alone.

How many there are is counted over all examples; those that are shown are of the first megabyte of each file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from leaderboard import permissions
from leaderboard.comparing.differences import Task, metric_of
from leaderboard.comparing.items import Items, Reader
from leaderboard.examples import MAX_BYTES, MAX_IMAGE_BYTES, json_lines, label_in, list_in, rows_in
from leaderboard.leafing import LABELLED
from leaderboard.metric_names import LOWER_IS_BETTER
from leaderboard.mistakes import labels_in
from leaderboard.models import Benchmark, Evaluation
from leaderboard.pictures import Album, Picture
from leaderboard.written import seen
from models_hub import contents
from portal.models import Asker
from worker.engine.statistics.resampling import Array

SHOWN = 15
FIRST, SECOND, NEITHER, BOTH = "first", "second", "neither", "both"
WAYS = (FIRST, SECOND, NEITHER, BOTH)
TEXTS = ("context", "input", "input2", "good", "bad")
MAX_SIDE = 300

Row = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which examples are asked for, and after which one the page begins."""

    way: str = FIRST
    label: str = ""
    after: int = -1


@dataclass(frozen=True)
class Said:
    """What one model answered; `worth` is the number of the example, `is_right` is None where that is no yes or no."""

    text: str
    worth: float
    is_right: bool | None
    confidence: float | None = None


@dataclass(frozen=True)
class Example:
    """One row of the test, the right answer, and what each of the compared answered, None for one without it."""

    number: int  # from 1
    texts: Sequence[str]
    right: str
    said: Sequence[Said | None]
    picture: Picture | None = None


@dataclass(frozen=True)
class Page:
    """Examples in the order of the data. `counts` are of all examples, by way; `read` is how many rows were reached."""

    metric: str
    is_yes_or_no: bool
    counts: Mapping[str, int]
    labels: Sequence[str] = ()
    examples: Sequence[Example] = field(default_factory=list)
    read: int = 0
    total: int = 0
    next: int | None = None

    @property
    def reaches_all(self) -> bool:
        return self.read >= self.total


def is_shown_to(user: Asker, task: Task) -> bool:
    """Say whether a reader may see single rows of a benchmark and what was answered to them."""
    present = [one for one in task.results if one]
    return task.benchmark.test_is_public and all(permissions.can_read_answers(user, one) for one in present[:1])


def page_of(task: Task, first: int, second: int, wanted: Wanted, reader: Reader) -> Page | None:
    """Return examples by how the models of two places did on them; None where their answers cannot be paired."""
    items = [reader.of(one) if one else None for one in task.results]
    a, b = items[first], items[second]
    if a is None or b is None or a.ids != b.ids:
        return None
    metric = metric_of(task.benchmark, [a, b])
    if not metric:
        return None
    ways, is_yes_or_no = _ways(a.metrics[metric], b.metrics[metric], metric)
    counts = {way: int(np.count_nonzero(ways[way])) for way in WAYS if way in ways}
    asked = ways.get(wanted.way, ways[FIRST])
    labels = task.benchmark.labels if task.benchmark.task in LABELLED else []
    paired = [one if one is not None and one.ids == a.ids and metric in one.metrics else None for one in items]
    found = _Walk(task, paired, metric, is_yes_or_no=is_yes_or_no)
    examples, read, more = found.walk(asked, wanted if wanted.label in labels else replace(wanted, label=""))
    return Page(
        metric, is_yes_or_no, counts, labels, examples, read, len(a.ids), examples[-1].number - 1 if more else None
    )


def _ways(a: Array, b: Array, metric: str) -> tuple[dict[str, np.ndarray[Any, np.dtype[np.bool_]]], bool]:
    """Return which examples go which way: right and wrong where each is one of both, else better and worse."""
    if np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all():
        one, other = a == 1, b == 1
        return {FIRST: one & ~other, SECOND: ~one & other, NEITHER: ~one & ~other, BOTH: one & other}, True
    if metric in LOWER_IS_BETTER:
        a, b = -a, -b
    return {FIRST: a > b, SECOND: b > a}, False


class _Walk:
    """Goes through rows and answers side by side."""

    def __init__(self, task: Task, items: Sequence[Items | None], metric: str, *, is_yes_or_no: bool) -> None:
        self._task, self._items, self._metric, self._is_yes_or_no = task, items, metric, is_yes_or_no
        self._album = Album()

    def walk(self, asked: np.ndarray[Any, np.dtype[np.bool_]], wanted: Wanted) -> tuple[list[Example], int, bool]:
        """Return the next examples, how many rows can be reached, and whether there are more among those."""
        benchmark = self._task.benchmark
        found: list[Example] = []
        read, has_more = 0, False
        for place, (row, answers) in enumerate(self._rows()):
            read = place + 1
            if place >= len(asked) or place <= wanted.after or not asked[place] or not self._fits(row, wanted.label):
                continue
            if len(found) == SHOWN:
                has_more = True
                continue
            said = [self._said(side, place, row, answer) for side, answer in enumerate(answers)]
            picture = (
                self._album.picture_of(row.get(benchmark.fields["input"])) if benchmark.kind.reads_images else None
            )
            found.append(Example(place + 1, _texts(benchmark, row), _right(benchmark, row), said, picture))
        return found, read, has_more

    def _rows(self) -> Iterator[tuple[Row, list[Row | None]]]:
        """Yield rows with the answers of each model, as far as the shortest of what was read goes."""
        benchmark = self._task.benchmark
        streams = [_answers(one, benchmark) if one else None for one in self._task.results]
        for row in rows_in(benchmark, benchmark.split_path):
            answers = [next(stream, None) if stream else None for stream in streams]
            if any(stream and answer is None for stream, answer in zip(streams, answers, strict=True)):
                return
            yield row, answers

    def _picture(self, row: Row) -> Picture | None:
        benchmark = self._task.benchmark
        return self._album.picture_of(row.get(benchmark.fields["input"])) if benchmark.kind.reads_images else None

    def _fits(self, row: Row, label: str) -> bool:
        if not label:
            return True
        benchmark = self._task.benchmark
        value = row.get(benchmark.fields["target"])
        if benchmark.task == Benchmark.Task.MULTI_LABEL:
            return label in (labels_in(value, benchmark.labels) or ())
        return label_in(value, benchmark.labels) == label

    def _said(self, side: int, place: int, row: Row, answer: Row | None) -> Said | None:
        items = self._items[side]
        if answer is None or items is None or str(answer.get("id", "")) != items.ids[place]:
            return None
        worth = float(items.metrics[self._metric][place])
        scores = answer.get("scores")
        sure = scores.get(answer.get("label")) if isinstance(scores, dict) else None
        text = _answer(self._task.benchmark, row, answer)
        is_sure = isinstance(sure, int | float)
        return Said(text, worth, worth == 1 if self._is_yes_or_no else None, sure if is_sure else None)


def _answers(evaluation: Evaluation, benchmark: Benchmark) -> Iterator[Row]:
    if evaluation.predictions is None:
        return iter(())
    most = MAX_IMAGE_BYTES if benchmark.kind.reads_images else MAX_BYTES
    return json_lines(b"".join(contents.stream(evaluation.predictions, 0, most)))


def _texts(benchmark: Benchmark, row: Row) -> list[str]:
    """Return what was asked, each part for itself; of an image nothing, for that is shown."""
    if benchmark.kind.reads_images:
        return []
    columns = [benchmark.fields[role] for role in TEXTS if role in benchmark.fields]
    return [text for text in (_text(row.get(column)) for column in columns) if text]


def _text(value: object) -> str:
    words = list_in(value)
    return seen(" ".join(map(str, words)) if words else value)


def _right(benchmark: Benchmark, row: Row) -> str:
    value = row.get(benchmark.fields.get("target", ""))
    label = label_in(value, benchmark.labels) if benchmark.labels and not isinstance(value, list) else None
    if label is not None:
        return label
    if isinstance(value, dict):
        value = value.get("text", value.get("answers"))
    listed = list_in(value)
    return seen(" · ".join(map(str, listed)) if listed else value)[:MAX_SIDE]


def _answer(benchmark: Benchmark, row: Row, answer: Row) -> str:
    """Return what was answered in a few words, "" where it is nothing that can be read."""
    likely = answer.get("log_likelihoods")
    if isinstance(likely, list) and likely and all(isinstance(value, int | float) for value in likely):
        texts = list_in(benchmark.settings.get("choices") or row.get(benchmark.fields.get("choices", "choices")))
        at = likely.index(max(likely))
        return seen(texts[at])[:MAX_SIDE] if len(texts) == len(likely) else ""
    named = (answer[name] for name in ("label", "text", "value", "similarity") if name in answer)
    listed = (answer[name] for name in ("labels", "tags", "words") if isinstance(answer.get(name), list))
    value = next(named, None)
    if value is None:
        value = " · ".join(str(one) for one in next(listed, [])[:50])
    return seen(f"{value:.4g}" if isinstance(value, float) else value)[:MAX_SIDE]
