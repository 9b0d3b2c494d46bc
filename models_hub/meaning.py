"""What a change means beyond its lines: fields of the card, keys of configurations, stated scores."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models_hub import browsing, cards, field_changes, metric_changes
from models_hub.browsing import Entry
from models_hub.comparing import FileChange
from models_hub.field_changes import FieldChanges
from models_hub.metric_changes import ScoreChange, Scores
from models_hub.models import Repo

CARD = "README.md"
RESULTS = ".eval_results/"
MAX_BYTES = 200_000
MAX_CONFIGS = 12
MAX_RESULTS = 40


@dataclass(frozen=True)
class Meaning:
    """`card` is None where the card's fields are the same; `configs` has one item for each changed file."""

    card: FieldChanges | None
    configs: list[FieldChanges]
    scores: list[ScoreChange]


def of(repo: Repo, changes: Iterable[FileChange]) -> Meaning:
    """Read the changed cards, configurations and results, in one query."""
    moved = {change.path: (change.before, change.after) for change in changes if change.kind != "renamed"}
    configs = [path for path in moved if path.endswith(".json")][:MAX_CONFIGS]
    results = [path for path in moved if path.startswith(RESULTS) and path.endswith((".yaml", ".yml"))][:MAX_RESULTS]
    sides = [side for path in (*configs, *results, CARD) for side in moved.get(path, ())]
    texts = browsing.read_small(repo, sides, MAX_BYTES)
    old, new = ([_side(texts, moved.get(path), index) for path in (CARD, *results)] for index in (0, 1))
    cards_of = [_card(texts_of[0]) for texts_of in (old, new)]
    card = field_changes.between(CARD, *[{k: v for k, v in one.items() if k != "model-index"} for one in cards_of])
    found = [_config(path, *[_side(texts, moved[path], index) for index in (0, 1)]) for path in configs]
    return Meaning(
        card=card if card.count else None,
        configs=[one for one in found if one is not None and one.count],
        scores=metric_changes.between(
            metric_changes.of_card(cards_of[0]) | _results(old[1:]),
            metric_changes.of_card(cards_of[1]) | _results(new[1:]),
        ),
    )


def _side(texts: dict[str, bytes], sides: tuple[Entry | None, Entry | None] | None, index: int) -> str | None:
    """Return the text of one side of a change, None where there is none that can be read."""
    entry = sides[index] if sides else None
    content = texts.get(entry.oid) if entry else None
    return None if content is None else content.decode("utf-8", "replace")


def _card(text: str | None) -> dict[str, Any]:
    try:
        return cards.read_metadata(text) if text else {}
    except cards.CardRefused:
        return {}


def _config(path: str, before: str | None, after: str | None) -> FieldChanges | None:
    """Return the keys that changed, None where a side is no JSON."""
    try:
        sides = [json.loads(text) if text is not None else {} for text in (before, after)]
        return field_changes.between(path, *sides)
    except (ValueError, RecursionError):
        return None


def _results(texts: Iterable[str | None]) -> Scores:
    found: Scores = {}
    for text in texts:
        try:
            found |= metric_changes.of_results(cards.read_yaml(text)) if text else {}
        except cards.CardRefused:
            continue
    return found
