"""What changed between two values of JSON's kind: by key path, what stood there before and what stands there now."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_SHOWN = 200
MAX_FIELDS = 5000
MAX_VALUE = 300
MAX_DEPTH = 30


@dataclass(frozen=True)
class FieldChange:
    """One field. `before` or `after` is None where there was none, or is none any more."""

    path: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True)
class FieldChanges:
    """Changed fields of one place, by path; `count` is how many there are, however many are here."""

    place: str
    changes: list[FieldChange]
    count: int


def between(place: str, before: Any, after: Any) -> FieldChanges:
    """Return the fields that differ. A list of plain values is one field, so that a longer list is one change."""
    old, new = _fields(before), _fields(after)
    changed = [
        FieldChange(path, _shown(old, path), _shown(new, path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path, _MISSING) != new.get(path, _MISSING)
    ]
    return FieldChanges(place, changed[:MAX_SHOWN], len(changed))


_MISSING = object()


def _fields(value: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, text in _walk(value, "", 0):
        if len(found) >= MAX_FIELDS:
            break
        found[_whole(path)] = _whole(text)
    return found


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    nested = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(i, dict | list) for i in value))
    if not nested or depth >= MAX_DEPTH or not value:
        if path or not isinstance(value, dict):
            yield path or ".", _text(value)
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        name = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}" if path else str(key)
        yield from _walk(child, name[:MAX_VALUE], depth + 1)


def _whole(text: str) -> str:
    """Return a text that any page can bear: JSON may escape half a surrogate pair, which becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _shown(fields: dict[str, str], path: str) -> str | None:
    text = fields.get(path)
    return text if text is None or len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
