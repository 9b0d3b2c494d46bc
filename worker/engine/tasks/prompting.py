"""Texts for a model made of the columns of a row: `{column}` stands for what the column holds. Imports no torch."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from random import Random

from worker.engine.contracts import EngineError, require
from worker.engine.records import Record
from worker.engine.tasks.task import Value

MAX_PROMPT = 4000
MAX_BEFORE = 64
MAX_SHOTS = 32
BETWEEN_SHOTS = "\n\n"
_PLACE = re.compile(r"\{(\w+)\}")


def check_prompt(prompt: str) -> None:
    """Refuse a prompt without a column, which would ask the same of every row."""
    require(len(prompt) <= MAX_PROMPT, f"settings.prompt must have at most {MAX_PROMPT} characters")
    require(bool(_PLACE.search(prompt)), "settings.prompt must name a column, such as {input}")


def check_before(name: str, text: str) -> None:
    """Refuse a text between prompt and answer that is longer than any mark."""
    require(len(text) <= MAX_BEFORE, f"settings.{name} must have at most {MAX_BEFORE} characters")


def check_shots(few_shot: int) -> None:
    """Refuse more examples than any model reads."""
    require(0 <= few_shot <= MAX_SHOTS, f"settings.few_shot must be 0 to {MAX_SHOTS}")


def filled(prompt: str, record: Record, more: Mapping[str, str] = {}) -> str:
    """Return the prompt of a row; a name is a role, such as input, or a column, but never that of the answer."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in more:
            return more[name]
        column = record.columns.get(name, name)
        if column == record.columns.get("target"):
            raise EngineError("bad_spec", f"settings.prompt must not show the column of the answer, {column}")
        given = record.get(name)
        return str(given) if type(given) in (int, float) else record.text(name)

    return _PLACE.sub(value, prompt)


def shots(examples: Sequence[Value], count: int, seed: int, group: str | None) -> list[str]:
    """Return the texts of some examples: of the same group where there are such, the same for each of its questions.

    As many as are wanted are taken in their order; of more, some are drawn, the same for the same seed.
    """
    if not count:
        return []
    alike = [row for row in examples if group is not None and row.get("group") == group] or list(examples)
    if len(alike) < count:
        raise EngineError("bad_data", f"few_shot asks for {count} examples, but the file “train” has {len(alike)}")
    if len(alike) > count:
        digest = hashlib.sha256(f"{seed} {group or ''}".encode()).digest()
        # Of a generator only random() is promised to stay the same in later versions of Python.
        random = Random(int.from_bytes(digest[:8], "big"))  # noqa: S311  (no secret)
        alike = [row for _at, _place, row in sorted((random.random(), place, row) for place, row in enumerate(alike))]
    return [str(row["text"]) for row in alike[:count]]


def with_shots(texts: Sequence[str], prompt: str) -> str:
    """Return a prompt behind its examples, an empty line between each."""
    return BETWEEN_SHOTS.join([*texts, prompt])
