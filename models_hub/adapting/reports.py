"""What children of a worker say they found, cut to what the database can hold and pages can show.

A child may have run a hostile model. Nothing it says is believed beyond its shape: so deep, so many, so long, numbers
that JSON has, text without what PostgreSQL refuses.
"""

import math
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 8
MAX_VALUES = 20_000  # of all levels together
MAX_ITEMS = 10_000  # of one level
MAX_TEXT = 2000
MAX_NAME = 256
LARGEST = 1e300
# Of a table of costs and of the files of an export; see worker/engine/tuning/compressing and exporting.
COSTS = ("p50_ms", "p90_ms", "examples_per_second", "memory_bytes", "bytes", "agreement", "lost")
MEASURED = ("p50_ms", "p90_ms", "examples_per_second", "memory_bytes", "bytes")
MAX_ROWS = 50
MAX_NOTES = 50
MAX_ROUNDS = 10
MAX_NOTE = 500


def bounded(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found, without what is too deep, too much or no proper value."""
    left = [MAX_VALUES]
    value = _bounded(dict(found), MAX_DEPTH, left)
    return value if isinstance(value, dict) else {}


def _bounded(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if isinstance(value, str):
        return _text(value, MAX_TEXT)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if is_number(value) else None
    if depth == 0 or left[0] <= 0:
        return None
    if isinstance(value, list):
        return [_bounded(one, depth - 1, left) for one in value[:MAX_ITEMS] if left[0] > 0]
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS]
        return {_text(str(name), MAX_NAME): _bounded(one, depth - 1, left) for name, one in items if left[0] > 0}
    return None


def is_number(value: Any) -> bool:
    """Whether it is a number that is finite and that every program can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -LARGEST < value < LARGEST and math.isfinite(value)


def _text(value: str, most: int) -> str:
    """Return text without NUL and without halves of characters, which PostgreSQL refuses."""
    return value[:most].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a training or a conversion says of itself; what pages draw tables of has the form of those."""
    kept = bounded(found)
    for name, read in (
        ("table", _table),
        ("files", _files),
        ("notes", _notes),
        ("refused", _refused),
        ("pseudo", _pseudo),
    ):
        if name in kept:
            kept[name] = read(kept[name])
    return kept


def _table(value: Any) -> list[dict[str, Any]]:
    rows = [row for row in value if isinstance(row, dict)][:MAX_ROWS] if isinstance(value, list) else []
    return [_costs(row) for row in rows]


def _costs(row: dict[str, Any]) -> dict[str, Any]:
    numbers = dict.fromkeys(MEASURED, 0) | {name: row[name] for name in COSTS if is_number(row.get(name))}
    score, loads_in = row.get("score"), row.get("loads_in")
    return {
        **row,
        **dict.fromkeys(name for name in COSTS if name in row),
        **numbers,
        "name": str(row.get("name", ""))[:MAX_NAME],
        "score": _numbers(score, ("value", "low", "high")),
        "loads_in": [str(one)[:MAX_NAME] for one in loads_in] if isinstance(loads_in, list) else [],
    }


def _files(value: Any) -> dict[str, dict[str, Any]]:
    files = list(value.items())[:MAX_ROWS] if isinstance(value, dict) else []
    return {name: _file(one) for name, one in files if isinstance(one, dict)}


def _file(one: dict[str, Any]) -> dict[str, Any]:
    kept = {**one, "bytes": one["bytes"] if is_number(one.get("bytes")) else 0, "sha256": str(one.get("sha256", ""))}
    for name, numbers in (("check", ("max_abs_difference", "same_winner")), ("rows", ("lost",))):
        part = one.get(name)
        # A check without its numbers is none.
        kept[name] = part if isinstance(part, dict) and all(is_number(part.get(key)) for key in numbers) else None
    return kept


def _pseudo(value: Any) -> dict[str, Any]:
    """Return how many rows each round of a run labelled itself."""
    found = value if isinstance(value, dict) else {}
    rounds = found.get("rounds")
    kept = [_round(one) for one in rounds[:MAX_ROUNDS] if isinstance(one, dict)] if isinstance(rounds, list) else []
    return {"rows": _count(found.get("rows")), "confidence": _number(found.get("confidence")), "rounds": kept}


def _round(one: dict[str, Any]) -> dict[str, Any]:
    labels = one.get("labels")
    counts = {name: _count(count) for name, count in labels.items()} if isinstance(labels, dict) else {}
    return {
        "round": _count(one.get("round")),
        "taken": _count(one.get("taken")),
        "labels": counts,
        "metric": str(one.get("metric", ""))[:MAX_NAME],
        "dev": _number(one.get("dev")),
    }


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else 0


def _number(value: Any) -> float | None:
    return value if is_number(value) else None


def _notes(value: Any) -> list[str]:
    return [str(one)[:MAX_NOTE] for one in value[:MAX_NOTES]] if isinstance(value, list) else []


def _refused(value: Any) -> dict[str, str]:
    return (
        {name: str(why)[:MAX_NOTE] for name, why in list(value.items())[:MAX_NOTES]} if isinstance(value, dict) else {}
    )


def scores(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores of the test part: {"after", "before": {"n", "primary", "metrics"}, "paired": {...}}."""
    kept = {name: _score(found[name]) for name in ("after", "before") if isinstance(found.get(name), dict)}
    paired = found.get("paired")
    wanted = ("difference", "low", "high", "p")
    if isinstance(paired, dict) and all(is_number(paired.get(name)) for name in wanted):
        kept["paired"] = bounded(paired)
    return kept


def _score(value: dict[str, Any]) -> dict[str, Any]:
    kept = bounded(value)
    metrics = kept.get("metrics")
    return {
        **kept,
        "n": kept["n"] if type(kept.get("n")) is int else 0,
        "primary": kept["primary"] if isinstance(kept.get("primary"), dict) else {},
        "metrics": {name: one for name, one in metrics.items() if isinstance(one, dict)}
        if isinstance(metrics, dict)
        else {},
    }


def _numbers(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {name: one for name, one in value.items() if name not in names or is_number(one)}


def data_report(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the check of the data found: rows, labels and findings in the form that pages draw."""
    kept = bounded(found)
    rows, labels, findings = kept.get("rows"), kept.get("labels"), kept.get("findings")
    counts = labels.items() if isinstance(labels, dict) else ()
    kept |= {
        "rows": {part: one for part, one in rows.items() if type(one) is int} if isinstance(rows, dict) else {},
        "labels": {
            part: {label: count for label, count in one.items() if type(count) is int}
            for part, one in counts
            if isinstance(one, dict)
        },
        "findings": [one for one in findings if isinstance(one, dict)] if isinstance(findings, list) else [],
    }
    return kept
