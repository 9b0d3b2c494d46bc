"""Scores that a model's authors state of it: in the card's `model-index`, and in files of `.eval_results`.

They are words of the repository, read within bounds at one commit, and nothing here has computed them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import caches

from models_hub import browsing, cards
from models_hub.browsing import Entry, EntryNotFound
from models_hub.models import Commit, Repo

CARD, FOLDER = "README.md", ".eval_results"
MAX_FILES = 30
MAX_FILE_BYTES = 20_000
MAX_ALL_BYTES = 60_000  # YAML is slow to read, and a reader waits
MAX_SCORES = 100
MAX_TEXT = 160
MAX_ADDRESS = 500
RULES = 2  # raise it when the same files are to be read otherwise
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\]+\Z")


@dataclass(frozen=True, kw_only=True)
class StatedScore:
    """One number, as it is stated; `place` is the file that states it."""

    place: str
    dataset: str
    task: str = ""
    metric: str = ""
    value: float
    date: str = ""
    notes: str = ""
    source: str = ""  # an address, "" for none that can be followed
    source_name: str = ""
    revision: str = ""  # of the data set

    @property
    def number(self) -> str:
        """The value as it is stated, without digits that say nothing."""
        return f"{self.value:.6g}"


def at(repo: Repo, commit: Commit, *, with_files: bool) -> list[StatedScore]:
    """Return what is stated at the head; `with_files` is for readers who may download."""
    found = of_card(repo.card)
    if with_files:
        found += _of_files(repo, commit)
    return found[:MAX_SCORES]


def as_entries(repo: Repo, commit: Commit) -> list[dict[str, Any]]:
    """Return what the files state as clients of the Hugging Face Hub read it of a model."""
    return [{"filename": score.place, "data": _entry(score)} for score in _of_files(repo, commit)]


def of_card(card: dict[str, Any]) -> list[StatedScore]:
    """Return the scores of a card's `model-index`."""
    found = []
    for model in _objects(card.get("model-index")):
        for result in _objects(model.get("results")):
            found += list(_of_result(result))
            if len(found) >= MAX_SCORES:
                return found[:MAX_SCORES]
    return found


def of_file(path: str, content: Any) -> list[StatedScore]:
    """Return the scores of a file of `.eval_results`, in the format of the Hugging Face Hub."""
    found = []
    for item in _objects(content):
        dataset, source = _object(item.get("dataset")), _object(item.get("source"))
        number = _number(item.get("value"))
        if number is None or not _text(dataset.get("id")):
            continue
        found.append(
            StatedScore(
                place=path,
                dataset=_text(dataset.get("id")),
                task=_text(dataset.get("task_id") or dataset.get("config")),
                metric=_text(item.get("metric")),
                value=number,
                date=_text(item.get("date")),
                notes=_text(item.get("notes")),
                source=_address(source.get("url")),
                source_name=_text(source.get("name")),
                revision=_text(dataset.get("revision")),
            )
        )
    return found[:MAX_SCORES]


def _entry(score: StatedScore) -> dict[str, Any]:
    dataset = {"id": score.dataset, "task_id": score.task, "revision": score.revision}
    source = {"url": score.source, "name": score.source_name} if score.source else {}
    return {
        "dataset": {key: value for key, value in dataset.items() if value or key == "task_id"},
        "value": score.value,
        **{key: value for key, value in (("date", score.date), ("notes", score.notes)) if value},
        **({"source": {key: value for key, value in source.items() if value}} if source else {}),
    }


def _of_result(result: dict[str, Any]) -> Iterator[StatedScore]:
    dataset, task, source = (_object(result.get(key)) for key in ("dataset", "task", "source"))
    kind = _text(dataset.get("type"))
    named = [_text(dataset.get(key)) for key in ("config", "split")]
    for metric in _objects(result.get("metrics")):
        number = _number(metric.get("value"))
        if number is not None:
            yield StatedScore(
                place=CARD,
                dataset=kind if "/" in kind else _text(dataset.get("name")) or kind or _text(task.get("name")),
                task=" · ".join(part for part in named if part),
                metric=_text(metric.get("name")) or _text(metric.get("type")),
                value=number,
                source=_address(source.get("url")),
                source_name=_text(source.get("name")),
            )


def _of_files(repo: Repo, commit: Commit) -> list[StatedScore]:
    """Return what the files state; they are read once for each commit."""
    key = f"stated-scores:{RULES}:{repo.pk}:{commit.oid}"
    kept = caches["rendered"].get(key)
    if kept is None:
        kept = [asdict(score) for score in _read(repo, commit)]
        caches["rendered"].set(key, kept)
    return [StatedScore(**score) for score in kept]


def _read(repo: Repo, commit: Commit) -> list[StatedScore]:
    found: list[StatedScore] = []
    files = _files(repo, commit)
    texts = browsing.read_small(repo, files, MAX_FILE_BYTES)
    left = MAX_ALL_BYTES
    for entry in files:
        content = texts.get(entry.oid, b"")
        left -= len(content)
        if left < 0:
            break
        try:
            found += of_file(entry.path, cards.read_yaml(content.decode("utf-8", "replace")))
        except cards.CardRefused:
            continue
    return found[:MAX_SCORES]


def _files(repo: Repo, commit: Commit) -> list[Entry]:
    try:
        entries = browsing.list_folder(repo, commit, FOLDER)
    except EntryNotFound:
        return []
    wanted = (entry for entry in entries if not entry.is_folder and entry.path.endswith((".yaml", ".yml")))
    return [entry for entry in wanted if entry.size <= MAX_FILE_BYTES][:MAX_FILES]


def _number(value: Any) -> float | None:
    """Return a finite number, which some write as text and with a sign for per cent."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value.strip().removesuffix("%")) if isinstance(value, str) and len(value) < 40 else float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _address(value: Any) -> str:
    """Return an address that a link may lead to."""
    return value if isinstance(value, str) and len(value) <= MAX_ADDRESS and _ADDRESS.match(value) else ""


def _text(value: Any) -> str:
    return " ".join(value[:MAX_TEXT].split()) if isinstance(value, str) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
