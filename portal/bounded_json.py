"""JSON that somebody sent, read into memory only when it holds few values.

An empty list is two bytes on the wire and more than fifty in memory: eight million bytes of them take 200 MB.
"""

import json
import re
from typing import Any

MAX_VALUES = 200_000
# Also one that never ends: no place is looked at twice.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


class TooManyValues(ValueError):
    """The JSON holds more lists, objects and entries than its reader allows."""


def loads(data: bytes, *, values: int = MAX_VALUES, **options: Any) -> Any:
    """Return what `json.loads` does with these options, of UTF-8 alone; raises ValueError or RecursionError."""
    if b"\0" in data:  # JSON of another encoding, in which counting bytes would tell nothing
        raise json.JSONDecodeError("not UTF-8", "", 0)
    if _count(data) > values and _count(_TEXT.sub(b"", data)) > values:
        raise TooManyValues(f"more than {values} values")
    return json.loads(data.decode("utf-8-sig"), **options)


def _count(data: bytes) -> int:
    """Return how many values there are at most: each begins a list or object or follows a comma."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")
