"""The first examples that a model got wrong, read beside each other from the data and from what the model answered."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from leaderboard.models import Evaluation
from models_hub import browsing, contents
from models_hub.browsing import EntryNotFound, RevisionNotFound

SHOWN = 12
MAX_BYTES = 1_000_000
MAX_TEXT = 600


@dataclass(frozen=True)
class Mistake:
    """One example, the answer that is right and the one that was given."""

    id: str
    text: str
    text2: str
    label: str
    answer: str
    confidence: float | None


def first_mistakes(evaluation: Evaluation) -> list[Mistake]:
    """Return at most SHOWN wrong answers; reads no more than the first megabyte of either file."""
    if evaluation.predictions is None:
        return []
    benchmark = evaluation.benchmark
    try:
        commit = browsing.resolve_revision(benchmark.dataset, benchmark.commit_oid)
        entry = browsing.find(benchmark.dataset, commit, benchmark.split_path)
        data = browsing.read(benchmark.dataset, entry, MAX_BYTES)
    except (EntryNotFound, RevisionNotFound):
        return []
    answers = _json_lines(b"".join(contents.stream(evaluation.predictions, 0, MAX_BYTES)))
    rows = _csv_rows(data) if benchmark.split_path.endswith(".csv") else _json_lines(data)
    return _wrong(benchmark.fields, benchmark.labels, rows, answers)


def _wrong(
    fields: dict[str, str], labels: list[str], rows: Iterable[dict[str, Any]], answers: Iterable[dict[str, Any]]
) -> list[Mistake]:
    found: list[Mistake] = []
    # The engine answers in the order of the data; where a file was cut, the shorter one decides.
    for row, answer in zip(rows, answers, strict=False):
        label = _label(row.get(fields["target"]), labels)
        if label is None or label == answer.get("label"):
            continue
        given = str(answer.get("label", ""))
        scores = answer.get("scores")
        found.append(
            Mistake(
                id=str(answer.get("id", "")),
                text=str(row.get(fields["input"], ""))[:MAX_TEXT],
                text2=str(row.get(fields.get("input2", ""), ""))[:MAX_TEXT],
                label=label,
                answer=given,
                confidence=scores.get(given) if isinstance(scores, dict) else None,
            )
        )
        if len(found) == SHOWN:
            break
    return found


def _label(value: object, labels: list[str]) -> str | None:
    """Return the label of a row, which many data sets store as its position."""
    text = str(value)
    if text in labels:
        return text
    return labels[int(text)] if text.isascii() and text.isdigit() and int(text) < len(labels) else None


def _json_lines(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.decode("utf-8-sig", "replace").split("\n"):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):  # the last line of what was cut
            return
        if isinstance(value, dict):
            yield value


def _csv_rows(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        yield from csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace")))
    except csv.Error:
        return
