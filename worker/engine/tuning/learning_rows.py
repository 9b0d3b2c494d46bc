"""Rows that a model learns from and no benchmark has: running text to find hidden words in, and conversations.

Imports no torch.
"""

import hashlib
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.records import Record
from worker.engine.tasks.task import Task, Value

PRE_TRAINING, CONVERSING = "fill-mask", "text-generation"
MAX_TURNS, MAX_TURN = 200, 100_000
ROLES = ("system", "user", "assistant")
# What may be hidden for the test part: a word of letters, or a single character of a script without spaces.
_WORD = re.compile(r"[^\W\d_㐀-鿿]{3,12}|[㐀-鿿]")


def columns_of(task: Task[Any], fields: Mapping[str, str], seen: Mapping[str, Any]) -> dict[str, str]:
    """Return the column of each role that the rows need; `seen` is the first of them."""
    columns = task.columns(fields)
    if task.name == PRE_TRAINING and "target" not in fields:
        return {"input": columns["input"]}
    if task.name == CONVERSING:
        column = fields.get("input") or (columns["input"] if columns["input"] in seen else "messages")
        if turns_in(seen.get(column)) is not None:
            return {"input": column}
    return columns


def read(task: Task[Any], record: Record, settings: Any) -> tuple[Value, Value]:
    """Return the question and the answer of a row; every error is `bad_data`."""
    if "target" in record.columns or task.name not in (PRE_TRAINING, CONVERSING):
        return task.read(record, settings)
    if task.name == PRE_TRAINING:
        return {"text": record.text("input")}, {}
    value = turns_in(record.get("input"))
    try:
        turns = checked(value)
    except EngineError as error:
        raise record.bad("input", error.message) from error
    asked = [turn["content"] for turn in turns if turn["role"] != "assistant"]
    said = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    if not said:
        raise record.bad("input", "must have a turn of the assistant, from which is learned")
    return {"messages": turns, "prompt": asked[-1] if asked else ""}, {"answers": [said[-1]]}


def is_conversation(question: Value) -> bool:
    """Say whether a row is one: models answer it only through their own template, which evaluations do not apply."""
    return "messages" in question


def tested(task: Task[Any], question: Value, gold: Value, settings: Any) -> tuple[Value, Value] | None:
    """Return a row as evaluations ask it, None where there is nothing to ask: of running text one word is hidden."""
    if task.name != PRE_TRAINING or gold:
        return question, gold
    text = question["text"]
    words = list(_WORD.finditer(text.replace(settings.mask, "")))
    if not words or settings.mask in text:
        return None
    digest = hashlib.sha256(text.encode()).digest()
    found = Random(int.from_bytes(digest[:8], "big")).choice(words)  # noqa: S311  (no secret)
    return {"text": text[: found.start()] + settings.mask + text[found.end() :]}, {"answers": [found[0]]}


def turns_in(value: Any) -> list[Any] | None:
    """Return the turns of a conversation, which a cell of CSV holds as JSON; None where it is none."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = parse_json(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) and value and isinstance(value[0], dict) else None


def checked(messages: Any) -> list[dict[str, str]]:
    """Return turns as data have them, checked."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_TURNS:
        raise EngineError("bad_data", f"must be a list of 1 to {MAX_TURNS} turns")
    for turn in messages:
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (None, None)
        if role not in ROLES or not isinstance(content, str) or len(content) > MAX_TURN:
            raise EngineError("bad_data", f"must have turns with a content, and as role one of: {', '.join(ROLES)}")
    return [{"role": turn["role"], "content": turn["content"]} for turn in messages]
