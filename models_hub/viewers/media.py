"""Pictures, sound and film: the browser shows them, from the address of their bytes."""

import struct

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.viewers.shown import Place, Shown

HEAD_BYTES = 262_144
MAX_SIDE = 10**6


def picture(place: Place) -> Shown:
    head = browsing.read(place.repo, place.entry, HEAD_BYTES)
    sides = dimensions(head)
    is_drawing = place.entry.name.lower().endswith(".svg")
    return Shown("picture", {"sides": sides, "is_drawing": is_drawing}, is_text=is_drawing)


def sound(place: Place) -> Shown:
    return Shown("sound")


def film(place: Place) -> Shown:
    return Shown("film")


def paper(place: Place) -> Shown:
    """A PDF is not opened here: a browser opens none inside of the sandbox that our addresses of bytes are."""
    return Shown("paper", {"problem": _("Download the file and open it with a reader on your machine.")})


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Return width and height of a picture as its first bytes tell them, None where they do not."""
    try:
        sides = _sides(head)
    except (struct.error, IndexError):
        return None
    return sides if sides and 0 < sides[0] <= MAX_SIDE and 0 < sides[1] <= MAX_SIDE else None


def _sides(head: bytes) -> tuple[int, int] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return struct.unpack(">II", head[16:24])
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return struct.unpack("<HH", head[6:10])
    if head[:2] == b"BM":
        width, height = struct.unpack("<ii", head[18:26])
        return width, abs(height)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    return _jpeg(head) if head[:2] == b"\xff\xd8" else None


def _webp(head: bytes) -> tuple[int, int] | None:
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """Walk from segment to segment to the one that begins a frame."""
    position = 2
    while position + 9 < len(head) and head[position] == 0xFF:
        marker = head[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", head[position + 5 : position + 9])
            return width, height
        position += 2 + struct.unpack(">H", head[position + 2 : position + 4])[0]
    return None
