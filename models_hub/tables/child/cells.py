"""One value of a row: what JSON has of it, what kind it is, and the words in it that a search finds."""

import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

MAX_CELL = 100_000  # characters of a text that are kept
MAX_IMAGE = 1024 * 1024
IMAGES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
MAX_DEPTH = 40


def plain(value: Any, images: list[tuple[str, bytes]], depth: int = 0) -> Any:
    """Return a value as JSON has it: bytes as their number, an image also in `images`, long texts cut."""
    if isinstance(value, str):
        return value if len(value) <= MAX_CELL else value[:MAX_CELL] + f"… ({len(value)})"
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, bytes):
        return _bytes(value, images)
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {str(key): plain(item, images, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, images, depth + 1) for item in value]
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)[:MAX_CELL]


def _bytes(value: bytes, images: list[tuple[str, bytes]]) -> dict[str, Any]:
    kind = next((kind for mark, kind in IMAGES.items() if value.startswith(mark)), "")
    if value[:4] == b"RIFF" and value[8:12] == b"WEBP":
        kind = "webp"
    if not kind or len(value) > MAX_IMAGE:
        return {"$bytes": len(value)}
    images.append((kind, value))
    return {"$bytes": len(value), "$image": len(images) - 1}


def kind_of(value: Any) -> str:
    """Return text, number, whole, truth, list, object or "" for a missing value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "whole"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"


def dump(value: Any) -> str:
    """Return JSON that SQLite can keep: half surrogate pairs become question marks."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def shortened(values: list[Any], limit: int) -> list[Any]:
    """Return the values of a row that is too long with the longest of them cut, as the text of their JSON."""
    texts = [dump(value) for value in values]
    found = values
    for longest in (MAX_CELL, MAX_CELL // 10, MAX_CELL // 100):
        found = [
            value if len(text) <= longest else f"{text[:longest]}… ({len(text)})"
            for value, text in zip(values, texts, strict=True)
        ]
        if sum(min(len(text), longest) for text in texts) <= limit:
            break
    return found


def words(value: Any) -> Iterator[str]:
    """Yield the texts in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from words(item)
    elif isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
