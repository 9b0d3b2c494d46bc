"""The fields of a card's metadata that its form knows: read as plain values, written back only where they changed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from models_hub import cards
from models_hub.models import Repo

MAX_RESULTS = 50
MAX_NAME = 193  # namespace/name
# Of our own block `training`; `epochs` and the others may also be told by hand.
TRAINING = ("epochs", "learning_rate", "batch_size", "hardware")
TEXTS = ("license", "license_name", "license_link", "pipeline_tag", "library_name", "base_model_relation")
LISTS = ("language", "tags", "datasets", "base_model", "task_categories", "size_categories")
OF_KIND = {
    Repo.Kind.MODEL: (
        "license", "license_name", "license_link", "language", "pipeline_tag", "library_name", "base_model",
        "base_model_relation", "datasets", "tags", *TRAINING,
    ),
    Repo.Kind.DATASET: (
        "license", "license_name", "license_link", "language", "task_categories", "size_categories", "tags",
    ),
    Repo.Kind.SPACE: ("license", "license_name", "license_link", "tags"),
}  # fmt: skip

Values = dict[str, Any]


class Metric(NamedTuple):
    """One measured number of `model-index`; `place` says where it stands there, "" for a new one."""

    dataset: str
    metric: str
    value: str
    task: str = ""
    place: str = ""

    @property
    def told(self) -> tuple[str, str, str]:
        return self.dataset, self.metric, self.value


def values_of(kind: str, card: Mapping[str, Any]) -> Values:
    """Return what a card says in the form's fields, empty where it is silent."""
    training = card.get("training")
    training = training if isinstance(training, dict) else {}
    found: Values = {}
    for name in OF_KIND[Repo.Kind(kind)]:
        if name in TRAINING:
            found[name] = str(number(cards.first_text(training.get(name) or "")))
        elif name in LISTS:
            found[name] = cards.texts(card.get(name) or [], length=MAX_NAME)
        else:
            found[name] = next(iter(cards.texts(card.get(name) or "", length=300)), "")
    return found


def changes(kind: str, before: Values, after: Values) -> dict[str, Any]:
    """Return what must change in the metadata so that a card that says `before` says `after`."""
    found: dict[str, Any] = {}
    for name in OF_KIND[Repo.Kind(kind)]:
        if name not in after or after[name] == before.get(name):
            continue
        if name in TRAINING:
            found.setdefault("training", {})[name] = number(after[name]) if after[name] else None
        elif name == "base_model" and len(after[name]) == 1:
            found[name] = after[name][0]
        else:
            found[name] = after[name] or None
    return found


def metrics_of(card: Mapping[str, Any]) -> list[Metric]:
    """Return the numbers that `model-index` tells, flat, in its order."""
    found = []
    for place, result in _results(card):
        task, dataset = _object(result.get("task")), _object(result.get("dataset"))
        for position, metric in enumerate(_list(result.get("metrics"))[:MAX_RESULTS]):
            if isinstance(metric, dict):
                found.append(
                    Metric(
                        dataset=cards.first_text(dataset.get("type") or dataset.get("name") or ""),
                        metric=cards.first_text(metric.get("type") or metric.get("name") or ""),
                        value=cards.first_text(metric.get("value") if metric.get("value") is not None else ""),
                        task=cards.first_text(task.get("type") or task.get("name") or ""),
                        place=f"{place}.{position}",
                    )
                )
    return found[:MAX_RESULTS]


def with_metrics(
    card: Mapping[str, Any], rows: Iterable[Metric], *, name: str, task: str
) -> list[dict[str, Any]] | None:
    """Return the `model-index` that tells these rows; what it said of them beyond the form's fields stays."""
    wanted = list(rows)
    kept = {row.place: row for row in wanted if row.place}
    old = {row.place: row for row in metrics_of(card)}
    results = []
    for place, result in _results(card):
        metrics = []
        for position, metric in enumerate(_list(result.get("metrics"))):
            key = f"{place}.{position}"
            if key not in old:
                metrics.append(metric)
            elif key in kept:
                metrics.append(metric | _metric(kept[key], old[key]))
        if metrics:
            changed = next((kept[key] for key in old if key in kept and key.startswith(f"{place}.")), None)
            results.append(result | _dataset(result, changed) | {"metrics": metrics})
    results += [
        {
            "task": {"type": task or "other"},
            "dataset": {"name": row.dataset, "type": row.dataset},
            "metrics": [{"type": row.metric, "value": number(row.value)}],
        }
        for row in wanted
        if not row.place
    ]
    index = card.get("model-index")
    first = index[0] if isinstance(index, list) and index and isinstance(index[0], dict) else {"name": name}
    rest = index[1:] if isinstance(index, list) else []
    return [first | {"results": results}, *rest] if results or rest else None


def _results(card: Mapping[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    index = card.get("model-index")
    first = index[0] if isinstance(index, list) and index else None
    results = first.get("results") if isinstance(first, dict) else None
    known = results[:MAX_RESULTS] if isinstance(results, list) else []
    return [(place, result) for place, result in enumerate(known) if isinstance(result, dict)]


def _metric(new: Metric, old: Metric) -> dict[str, Any]:
    found: dict[str, Any] = {"type": new.metric} if new.metric != old.metric else {}
    return found | ({"value": number(new.value)} if new.value != old.value else {})


def _dataset(result: Mapping[str, Any], row: Metric | None) -> dict[str, Any]:
    """Return the data set of a result under another name where the form was told one."""
    dataset = _object(result.get("dataset"))
    if row is None or row.dataset == cards.first_text(dataset.get("type") or dataset.get("name") or ""):
        return {}
    return {"dataset": {"name": row.dataset, "type": row.dataset}}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def number(text: str) -> int | float | str:
    """Return a number where the text is one: 2e-5, which YAML takes for a text, and 0.00002 are the same."""
    for kind in (int, float):
        try:
            found = kind(text)
        except ValueError:
            continue
        return found if abs(found) < 10**15 else text
    return text


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
