"""The judged set: its cards become repositories, its questions are asked, and what comes first is compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.models import AnonymousUser

from models_hub.models import Label, Repo
from models_hub.searching import indexing
from models_hub.searching.finding import Found
from portal.models import Namespace, User

FOLDER = Path(__file__).parent
DEPTH = 10


@dataclass(frozen=True)
class Quality:
    """How well questions were answered."""

    questions: int
    recall: float
    mrr: float


def load() -> None:
    """Make the repositories of the set."""
    for row in _read("documents.yaml"):
        owner, name = row["name"].split("/")
        namespace = Namespace.objects.filter(lower=owner).first() or _owner(owner)
        repo = Repo.objects.create(
            kind=row["kind"], namespace=namespace, name=name, lower=name, task=row["task"],
            languages=row["languages"], tags=row["tags"], has_card=True,
        )  # fmt: skip
        Label.objects.bulk_create(Label(repo=repo, text=text) for text in {*row["tags"], *row["languages"]})
        indexing.note(repo, row["text"])


def judge() -> dict[str, Quality]:
    """Ask every question both ways and return the quality by language and way."""
    rows = _read("documents.yaml")
    names = {row["id"]: row["name"] for row in rows}
    texts = {row["name"]: f"{row['name']} {row['task']} {' '.join(row['tags'])} {row['text']}".lower() for row in rows}
    ways: dict[str, Callable[[str], list[str]]] = {
        "search": ask,
        "substrings": lambda text: [name for name, words in texts.items() if _holds(words, text)],
    }
    return {
        f"{language}, {way}": _quality(questions, names, answer)
        for language, questions in _read("questions.yaml").items()
        for way, answer in ways.items()
    }


def ask(text: str) -> list[str]:
    """Return the full names of what our search finds of all kinds, models and data sets in turn."""
    lists = []
    for kind in (Repo.Kind.MODEL, Repo.Kind.DATASET):
        ids = Found(kind, text=text, filters={}, user=AnonymousUser()).ranked()[:DEPTH]
        rows = Repo.objects.select_related("namespace").in_bulk(ids)
        lists.append([rows[pk].full_name for pk in ids])
    longest = max(map(len, lists))
    return [kept[place] for place in range(longest) for kept in lists if place < len(kept)]


def _holds(words: str, text: str) -> bool:
    return all(part in words for part in text.lower().split())


def _quality(questions: Sequence[Any], names: dict[str, str], answer: Callable[[str], list[str]]) -> Quality:
    recall, ranks = 0.0, 0.0
    for text, wanted in questions:
        right = {names[one] for one in wanted}
        found = answer(str(text))[:DEPTH]
        recall += len(right & set(found)) / len(right)
        ranks += next((1 / place for place, name in enumerate(found, 1) if name in right), 0.0)
    return Quality(len(questions), recall / len(questions), ranks / len(questions))


def _owner(name: str) -> Namespace:
    user = User.objects.create_user(name, f"{name}@example.org")
    return Namespace.objects.get(user=user)


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))
