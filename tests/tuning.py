"""Data sets and wishes for tests of runs: few rows, and the engine's stand-in learns them."""

import json
from collections.abc import Callable
from typing import Any

from models_hub.adapting import asking, wishes
from models_hub.models import Repo, Run
from portal.models import User
from tests.evaluating import model_files

GOOD = ("good", "fine", "lovely", "bright", "warm")
BAD = ("bad", "poor", "ugly", "dull", "cold")


def rows(count: int = 60) -> str:
    """Lines of texts with labels, no text twice."""
    lines = []
    for number in range(count):
        words, label = (GOOD, "positive") if number % 2 else (BAD, "negative")
        lines.append({"text": f"{words[number % 5]} thing number {number}", "label": label})
    return "".join(json.dumps(line) + "\n" for line in lines)


def make_data(make_repo: Callable[..., Repo], owner: User, name: str = "moods", **options: Any) -> Repo:
    return make_repo(owner, name, kind="dataset", files={"train.jsonl": rows()}, **options)


def make_base(make_repo: Callable[..., Repo], owner: User, name: str = "bert", **fake_engine: object) -> Repo:
    return make_repo(owner, name, files=model_files(**fake_engine))


def wish(**changes: Any) -> dict[str, Any]:
    """What alice asks for, as a program sends it."""
    return {
        "task": "text-classification",
        "base": "alice/bert",
        "data": "alice/moods",
        "files": {"train": "train.jsonl"},
        "target": "alice/tuned",
        **changes,
    }


def ask(by: User, **changes: Any) -> Run:
    return asking.ask(wishes.read(wish(**changes)), by=by)
