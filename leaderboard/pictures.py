"""Images of rows as a page shows them: files as they are, within bounds, and lists of pixels drawn as PNG.

Nothing is decoded here. A row that was evaluated has an image that the engine could read; what it is called in the
page is decided by its first bytes, and a browser runs nothing of an image.
"""

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from models_hub.viewers.media import dimensions

MAX_FILE_BYTES = 400_000
MAX_PAGE_BYTES = 1_500_000
MAX_DRAWN_PIXELS = 1_000_000
MAX_SHOWN_PIXELS = 25_000_000
HEAD = 262_144
TINY = 64
TYPES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


@dataclass(frozen=True)
class Picture:
    """An image as the address of itself; no sides where its file may ask to be turned. No address: too large."""

    src: str
    width: int | None = None
    height: int | None = None

    @property
    def is_tiny(self) -> bool:
        """Say whether its pixels are to be seen, which a browser would blur."""
        return self.width is not None and self.width <= TINY


class Album:
    """Turns images into addresses until the page is as large as it may be."""

    def __init__(self) -> None:
        self._left = MAX_PAGE_BYTES

    def picture_of(self, value: object) -> Picture | None:
        """Return a picture of an image in a row; None for what is none."""
        raw = _file_of(value)
        if raw is None:
            return None
        kind = next((kind for start, kind in TYPES if raw.startswith(start)), None)
        sides = dimensions(raw[:HEAD])
        if kind is None or sides is None:
            return None
        if len(raw) > min(MAX_FILE_BYTES, self._left) or sides[0] * sides[1] > MAX_SHOWN_PIXELS:
            return Picture("")
        self._left -= len(raw)
        src = f"data:{kind};base64,{base64.b64encode(raw).decode('ascii')}"
        # Photographs say which way is up, and browsers turn them; where the boxes go is then not known here.
        return Picture(src) if b"Exif" in raw[:HEAD] else Picture(src, *sides)


def png_of(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a PNG of checked pixels, grey or in three colours."""
    width, height = len(rows[0]), len(rows)
    is_grey = not isinstance(rows[0][0], list)
    flat = (bytes(int(value) for value in (row if is_grey else _joined(row))) for row in rows)
    data = zlib.compress(b"".join(b"\0" + line for line in flat))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if is_grey else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _joined(row: Sequence[Sequence[Any]]) -> Iterator[Any]:
    for red, green, blue in row:
        yield from (red, green, blue)


def _file_of(value: object) -> bytes | None:
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return None
    return _drawn(value) if isinstance(value, list) and value else None


def _drawn(pixels: list[Any]) -> bytes | None:
    if not isinstance(pixels[0], list):
        side = int(len(pixels) ** 0.5)
        pixels = [pixels[start : start + side] for start in range(0, len(pixels), side)]
    try:
        if len(pixels) * len(pixels[0]) > MAX_DRAWN_PIXELS or len({len(row) for row in pixels}) != 1:
            return None
        return png_of(_brightened(pixels))
    except (IndexError, TypeError, ValueError):
        return None


def _brightened(pixels: list[Any]) -> list[Any]:
    """Return grey values stretched over the whole range: digits from 0 to 16 would be black to the eye."""
    if isinstance(pixels[0][0], list):
        return pixels
    most = max(max(row) for row in pixels)
    return [[255 * value // most for value in row] for row in pixels] if 0 < most < 128 else pixels
