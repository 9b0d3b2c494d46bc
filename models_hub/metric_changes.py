"""How the scores that a repository states of itself changed: in its card's model-index, and in .eval_results."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_SCORES = 500
MAX_NAME = 120

Scores = dict[tuple[str, str], float]


@dataclass(frozen=True)
class ScoreChange:
    """One metric on one data set. `before` or `after` is None where it is not stated."""

    dataset: str
    metric: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before


def between(before: Scores, after: Scores) -> list[ScoreChange]:
    """Return the scores that differ, by data set and metric."""
    return [
        ScoreChange(*key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ][:MAX_SCORES]


def of_card(card: dict[str, Any]) -> Scores:
    """Return the scores of a card's `model-index`."""
    found: Scores = {}
    for model in _objects(card.get("model-index")):
        for result in _objects(model.get("results")):
            dataset, task = _object(result.get("dataset")), _object(result.get("task"))
            name = _name(dataset.get("name") or dataset.get("type") or task.get("name") or task.get("type"))
            for metric in _objects(result.get("metrics")):
                _add(found, name, _name(metric.get("name") or metric.get("type")), metric.get("value"))
    return found


def of_results(content: Any) -> Scores:
    """Return the scores of one file of `.eval_results`."""
    found: Scores = {}
    for result in _objects(content):
        dataset = _object(result.get("dataset"))
        name = " · ".join(part for part in (_name(dataset.get("id")), _name(dataset.get("task_id"))) if part)
        _add(found, name, _name(result.get("metric") or result.get("name")) or "value", result.get("value"))
    return found


def _add(found: Scores, dataset: str, metric: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return
    if math.isfinite(number) and metric and len(found) < MAX_SCORES:
        found[dataset or "–", metric] = number


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    items: Iterable[Any] = value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, dict))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: Any) -> str:
    return value[:MAX_NAME] if isinstance(value, str) else ""
