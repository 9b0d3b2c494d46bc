"""A row as a person is asked about it, and whether somebody answered it already. Imports no torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.records import Record
from worker.engine.rows import Format, sniff
from worker.engine.tasks import find
from worker.engine.tasks.task import Value
from worker.engine.tuning.picking.contracts import MAX_CHARACTERS, MAX_WORDS

INPUT, INPUT2, TARGET = "input", "input2", "target"
TAGS = "token-classification"
LISTS = ("multi-label-classification", TAGS)


def columns_of(task: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each role."""
    return find(task).columns(fields)


def format_of(path: Path) -> Format:
    """Return how the file is written; raises EngineError for a table that rows cannot be written back to."""
    if path.suffix.lower() not in (".jsonl", ".ndjson", ".csv"):
        raise EngineError("bad_data", "rows are labelled in files that end in .jsonl, .ndjson or .csv")
    return sniff(path)


def question_of(task: str, values: Mapping[str, Any], number: int, columns: Mapping[str, str]) -> Value:
    """Return what a model and a person see of a row; raises EngineError where it cannot be read."""
    record = Record(values, number, columns)
    if task == TAGS:
        return {"tokens": record.texts(INPUT, most=10_000)}
    question: Value = {"text": record.text(INPUT)}
    if INPUT2 in columns:
        question["text2"] = record.text(INPUT2)
    return question


def text_of(question: Value) -> str:
    """Return the words of a question as one text."""
    return " ".join(question["tokens"]) if "tokens" in question else "\n".join(question.values())


def is_too_long(question: Value) -> bool:
    """Whether it is more than a person can be asked about at once."""
    return len(text_of(question)) > MAX_CHARACTERS or len(question.get("tokens", ())) > MAX_WORDS


def answer_of(task: str, values: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
    """Return the answer that a row holds as it stands there, None where nobody answered yet.

    No label at all is an answer where a row may have several; no tag at all is none.
    """
    value = values.get(columns[TARGET])
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if task == TAGS and value in ([], "[]"):
        return None
    return value


def named_labels(task: str, value: Any) -> list[str]:
    """Return the labels that an answer names; numbers name none."""
    if task not in LISTS:
        return [value] if isinstance(value, str) else []
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            value = [part.strip() for part in value.split(",")] if task != TAGS else []
    return [one for one in value if isinstance(one, str) and one.strip()] if isinstance(value, list) else []
