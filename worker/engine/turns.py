"""A benchmark answered in turns, each kept on disk at once: a later attempt answers only the rest. Imports no torch.

What is kept was written by a process that runs a model, so it is read as hostile: whatever does not fit is answered
again.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from worker.engine.answering.answers import Answers
from worker.engine.answering.sharing import once
from worker.engine.contracts import EvaluateSpec
from worker.engine.decoding import parse_json
from worker.engine.progress import Progress
from worker.engine.provenance import versions
from worker.engine.recipe import LOCAL_FIELDS
from worker.engine.rows import Questions
from worker.engine.tasks.task import Value

MAX_KEPT_BYTES = 256 << 20
MAX_REPORT_BYTES = 4 << 20
COUNTED = re.compile(r"([0-9]{1,12}) of [0-9]{1,12} (\w{1,20})")


def cut(values: Sequence[Value], size: int) -> list[list[int]]:
    """Cut rows into turns: the first an even spread, whose times stand for all; the rest by length, long ones first."""
    spread = np.linspace(0, len(values) - 1, min(len(values), size))
    first = [round(position) for position in spread.tolist()]
    chosen = set(first)
    lengths = [len(json.dumps(value, ensure_ascii=False)) for value in values]
    rest = sorted(set(range(len(values))) - chosen, key=lambda index: (-lengths[index], index))
    return [first, *(rest[start : start + size] for start in range(0, len(rest), size))] if values else []


def key_of(spec: EvaluateSpec, *, version: str, device: str) -> str:
    """Return a digest over all that an answer hangs on; threads do not move one. The model is what `resume` names."""
    own = {name: value for name, value in asdict(spec).items() if name not in LOCAL_FIELDS - {"resume"} | {"threads"}}
    digests = []
    for path in (spec.inputs, spec.context, spec.perturbed):
        with open(path or os.devnull, "rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    whole = {"spec": own, "files": digests, "version": version, "device": device, "versions": versions()}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


@dataclass
class Kept:
    """The turns that are answered, in a file beside the results; without a key nothing is kept."""

    path: Path
    key: str | None
    max_row_bytes: int
    digest_part: Callable[[Value], Any]
    turns: list[Answers] = field(default_factory=list)

    def read(self, sizes: Sequence[int]) -> None:
        """Take what an earlier attempt left, up to the first line that does not fit, and drop the others."""
        if self.key is None:
            return
        self.turns = list(self._read(sizes))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".part")
        with partial.open("wb") as file:
            file.write(_line({"key": self.key}))
            file.writelines(map(self._written, range(len(self.turns))))
        os.replace(partial, self.path)

    def add(self, answers: Answers) -> None:
        """Keep one more turn, on disk before this returns."""
        self.turns.append(answers)
        if self.key is None:
            return
        with self.path.open("ab") as file:
            file.write(self._written(len(self.turns) - 1))
            file.flush()
            os.fsync(file.fileno())

    def forget(self) -> None:
        """Remove the file: all is answered."""
        self.path.unlink(missing_ok=True)

    def _written(self, number: int) -> bytes:
        turn = self.turns[number]
        return _line({"turn": number, "report": turn.report, "predictions": turn.predictions})

    def _read(self, sizes: Sequence[int]) -> Iterator[Answers]:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        with open(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > MAX_KEPT_BYTES or _parsed(file.readline(200)) != {"key": self.key}:
                return
            for number, size in enumerate(sizes):
                turn = _parsed(file.readline(self.max_row_bytes * size + MAX_REPORT_BYTES))
                if turn.get("turn") != number or not self._fits(turn, size):
                    return
                yield Answers(predictions=turn["predictions"], report=turn["report"])

    def _fits(self, turn: Mapping[str, Any], size: int) -> bool:
        predictions, report = turn.get("predictions"), turn.get("report")
        if not isinstance(predictions, list) or not isinstance(report, dict) or len(predictions) != size:
            return False
        try:
            for row in predictions:
                self.digest_part(row)
        except (TypeError, ValueError, LookupError, AttributeError):
            return False  # no answer to such a question, whatever it is; what it says is for the scorer to check
        return all(isinstance(row, dict) for row in predictions)


@dataclass
class Turns:
    """Asks turn after turn, those apart that were answered before."""

    ask: Callable[[Questions, Progress], Answers]
    kept: Kept
    progress: Progress
    total: int  # rows of all questions
    number: int = 0
    done: int = 0
    resumed: int = field(default=0, init=False)
    _before: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._before = len(self.kept.turns)
        if self.kept.turns and isinstance(latency := self.kept.turns[0].report.get("latency"), dict):
            once("latency", lambda: latency)

    def answer(self, questions: Questions, parts: Sequence[Sequence[int]]) -> Answers:
        """Return one answer for each question, in their order."""
        predictions: list[Value] = [{} for _ in questions.ids]
        reports = []
        for rows in parts:
            answers = self._answers(questions, rows)
            for index, prediction in zip(rows, answers.predictions, strict=True):
                predictions[index] = prediction
            reports.append(answers.report)
        return Answers(predictions=predictions, report=merged(reports, len(questions.ids)))

    def _answers(self, questions: Questions, rows: Sequence[int]) -> Answers:
        number, self.number = self.number, self.number + 1
        start, self.done = self.done, self.done + len(rows)
        if number < self._before:
            self.resumed += len(rows)
            return self.kept.turns[number]
        part = Questions([questions.ids[i] for i in rows], [questions.values[i] for i in rows], questions.context)
        answers = self.ask(part, Part(self.progress, start, self.done, self.total))
        self.kept.add(answers)
        return answers


class Part(Progress):
    """The progress of one turn as a part of all."""

    def __init__(self, whole: Progress, start: int, end: int, total: int) -> None:
        super().__init__(whole.stream)
        self.whole = whole
        self.start, self.end, self.total = start, end, total

    def report(self, fraction: float, message: str, *, always: bool = False) -> None:
        """Report how far all is, with counts of all."""
        if counted := COUNTED.fullmatch(message):
            message = f"{self.start + int(counted[1])} of {self.total} {counted[2]}"
        done = self.start + (self.end - self.start) * min(max(fraction, 0.0), 1.0)
        self.whole.report(done / self.total, message, always=always)


def merged(reports: Sequence[Mapping[str, Any]], rows: int) -> dict[str, Any]:
    """Return what the turns report together: counts of rows and the time of answering added up, else the last word."""
    if not reports:
        return {}
    whole = dict(reports[-1])
    for name in whole:
        if name.endswith("_rows") or name == "predict_seconds":
            whole[name] = sum(number for report in reports if _is_number(number := report.get(name)))
    if "latency" in reports[0]:
        whole["latency"] = reports[0]["latency"]
    if whole.get("predict_seconds"):
        whole["predict_seconds"] = round(whole["predict_seconds"], 4)
        whole["examples_per_second"] = round(rows / max(whole["predict_seconds"], 1e-4), 2)
    return whole


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and bool(np.isfinite(value))


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = parse_json(line.decode("utf-8")) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
