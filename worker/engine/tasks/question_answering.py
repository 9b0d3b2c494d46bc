"""Questions to answers that stand in a passage, by the rules of SQuAD or of CMRC 2018."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from worker.engine.contracts import require
from worker.engine.decoding import parse_json
from worker.engine.measures import spans
from worker.engine.records import Record, is_encodable
from worker.engine.statistics import intervals
from worker.engine.tasks.task import Array, Measure, Measured, Role, Task, Value, Whole, bad_gold, refused

MAX_ANSWER = 2000
MAX_ANSWERS = 100
MOST_TOKENS = 512
# A part of fewer questions says next to nothing, and would let a reader guess at single hidden answers.
SMALLEST = 20
LENGTH_PARTS = 4

RULES = {"squad": spans.squad, "cmrc": spans.cmrc}


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """How answers are compared, whether there may be none, and of how many tokens one is at most."""

    rules: Literal["squad", "cmrc"] = "squad"
    no_answer: bool = False
    max_answer_length: int = 30

    def __post_init__(self) -> None:
        require(1 <= self.max_answer_length <= MOST_TOKENS, f"max_answer_length must be 1 to {MOST_TOKENS}")


class QuestionAnswering(Task[ReaderSettings]):
    """Each question has a passage and any number of answers in it that are right."""

    name = "question-answering"
    roles = {"input": Role(default="question"), "context": Role(default="context"), "target": Role(default="answers")}
    settings_type = ReaderSettings
    heads = ("ForQuestionAnswering",)
    answering = "worker.engine.answering.reader"
    measures = (Measure("f1", "mean"), Measure("exact_match", "proportion"))
    default_primary = "f1"

    def read(self, record: Record, settings: ReaderSettings) -> tuple[Value, Value]:
        """Return question and passage, and the answers that are right; none where nothing in the passage is."""
        question = {"question": record.text("input"), "context": record.text("context")}
        answers = _answers(record)
        if not answers and not settings.no_answer:
            raise record.bad("target", "has no answer; a benchmark with such questions must say no_answer: true")
        # Questions about one passage hang together, which their interval must know.
        passage = hashlib.sha256(question["context"].encode()).hexdigest()[:16]
        return question, {"answers": answers, "passage": passage}

    def check_gold(self, value: Value, settings: ReaderSettings) -> Value:
        """Return the right answers."""
        answers, passage = value.get("answers"), value.get("passage")
        if set(value) != {"answers", "passage"} or not isinstance(answers, list) or not isinstance(passage, str):
            raise bad_gold("it has no list of answers with a passage")
        if len(answers) > MAX_ANSWERS or not all(_is_answer(text) and text for text in answers):
            raise bad_gold("its answers are not texts that could be answers")
        return value

    def max_row_bytes(self, settings: ReaderSettings) -> int:
        """Return the room for one answer, each character written as six."""
        return 6 * MAX_ANSWER + 128

    def check(self, value: Value, gold: Value, settings: ReaderSettings) -> Value:
        """Return the answer and where it begins; without a text there is no such place."""
        if set(value) != {"text", "start"}:
            raise refused("must have exactly id, text and start")
        text, start = value["text"], value["start"]
        if not _is_answer(text):
            raise refused(f"must have a text of at most {MAX_ANSWER} characters")
        if (start is None) != (text == "") or not (start is None or (type(start) is int and 0 <= start < 2**31)):
            raise refused("must have the place of its text as start, and null where there is no text")
        return value

    def digest_part(self, prediction: Value) -> str:
        """Return the text; where it stands is not scored."""
        text: str = prediction["text"]
        return text

    def pretend(self, numbers: Iterator[float], question: Value, settings: ReaderSettings) -> Value:
        """Return any words of the passage, or no answer where that may be right."""
        context = question["context"]
        if settings.no_answer and next(numbers) < 0.3:
            return {"text": "", "start": None}
        start = int(next(numbers) * len(context))
        text = context[start : start + 1 + int(next(numbers) * 20)]
        stripped = text.strip()
        return {"text": stripped, "start": start + len(text) - len(text.lstrip()) if stripped else None}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: ReaderSettings) -> Measured:
        """Return exact match and F1, each the best over the right answers."""
        wanted = [row["answers"] for row in golds]
        rule = RULES[settings.rules]
        items = rule(wanted, [row["text"] for row in predictions])
        nothing = rule(wanted, [""] * len(wanted))
        clusters = _clusters([row["passage"] for row in golds])
        return Measured(
            items={name: items[name] for name in ("f1", "exact_match")},
            clusters=clusters,
            details={"questions": _parts(wanted, items, clusters)},
            floors={"no_answer": {"metrics": {name: float(values.mean()) for name, values in nothing.items()}}},
        )


def _answers(record: Record) -> list[str]:
    """Return the answers of a line: as SQuAD has them, {"text": [...]}, as a list of texts or objects, or one text."""
    value = record.get("target")
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, dict):
        value = value.get("text")
    if not isinstance(value, list) or len(value) > MAX_ANSWERS:
        raise record.bad("target", f'must be a list of at most {MAX_ANSWERS} answers, or {{"text": [answers]}}')
    texts: list[Any] = [item.get("text") if isinstance(item, dict) else item for item in value]
    for text in texts:
        if not _is_answer(text) or not text.strip():
            raise record.bad("target", f"must hold answers that are texts of 1 to {MAX_ANSWER} characters")
    return list(dict.fromkeys(texts))


def _parsed(text: str) -> Any:
    """Return what a cell of CSV holds: JSON, or one answer as it is, or none."""
    if text.lstrip().startswith(("[", "{")):
        try:
            return parse_json(text)
        except (ValueError, RecursionError):
            return [text]
    return [text] if text.strip() else []


def _is_answer(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_ANSWER and is_encodable(value)


def _clusters(passages: Sequence[str]) -> Whole | None:
    """Return which questions are about one passage; None where that would say nothing."""
    numbers = {passage: number for number, passage in enumerate(dict.fromkeys(passages))}
    if len(numbers) in (1, len(passages)):
        return None
    return np.array([numbers[passage] for passage in passages])


def _parts(wanted: Sequence[Sequence[str]], items: dict[str, Array], clusters: Whole | None) -> list[dict[str, Any]]:
    """Return the scores of questions with and without an answer, and of short and long ones."""
    lengths = np.array([len(answers[0]) if answers else 0 for answers in wanted])
    parts: list[tuple[str, Any, dict[str, int]]] = []
    if (lengths == 0).any():
        parts += [("answered", lengths > 0, {}), ("unanswerable", lengths == 0, {})]
    for low, high in _quarters(lengths[lengths > 0]):
        parts.append(("length", (lengths >= low) & (lengths <= high), {"low": low, "high": high}))
    return [
        {"by": by, **bounds, "n": int(members.sum()), **_scores(items, members, clusters)}
        for by, members, bounds in parts
        if members.sum() >= SMALLEST
    ]


def _quarters(lengths: Whole) -> list[tuple[int, int]]:
    if not len(lengths):
        return []
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, LENGTH_PARTS + 1)[1:-1], method="lower"))
    sides = np.searchsorted(edges, lengths, side="left")
    return [(int(lengths[sides == side].min()), int(lengths[sides == side].max())) for side in np.unique(sides)]


def _scores(
    items: dict[str, Array], members: np.ndarray[Any, np.dtype[np.bool_]], clusters: Whole | None
) -> dict[str, dict[str, float]]:
    groups = None if clusters is None else np.unique(clusters[members], return_inverse=True)[1]
    if groups is not None and not groups.any():
        groups = None  # all about one passage, which has no neighbour to differ from
    found = {}
    for name, values in items.items():
        of_part = values[members]
        if name == "exact_match":
            interval = intervals.proportion(of_part, groups)
        else:
            interval = intervals.mean(of_part) if groups is None else intervals.clustered(of_part, groups)
        found[name] = {"value": interval.value, "low": interval.low, "high": interval.high}
    return found
