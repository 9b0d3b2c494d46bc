"""Pictures taken apart and put together again from the parts that draw them: places, names and programs stay behind.

Nothing is decoded: each reader walks over the parts of its format once, keeps those that it knows, and ends with the
picture's end, so that nothing can hide after it. What it cannot follow is refused.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.errors import InvalidInput, TooLarge

MAX_SIDE = 16_384
MAX_PIXELS = 64_000_000
MAX_PARTS = 200_000  # of an honest picture of the greatest size there are a fifth of these

PNG_START, JPEG_START, GIF_STARTS = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")
PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
    | {b"acTL", b"fcTL", b"fdAT"}  # of animations
)
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_KEPT = JPEG_FRAMES | {0xC4, 0xCC, 0xDA, 0xDB, 0xDD}
JPEG_EXIF, MAX_TAGS = 0xE1, 200  # of it, how the picture is turned is kept alone
JPEG_ADOBE = 0xEE  # says how the colours are mixed
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
WEBP_FLAGS = 0x12  # transparency and animation; not colour profile, Exif and XMP


@dataclass(frozen=True)
class Picture:
    """A picture that tells nothing but itself; `format` is the ending of its name."""

    data: bytes
    format: str


class _NotFollowed(Exception):
    """The bytes are not what their format demands."""


def cleaned(data: bytes) -> Picture:
    """Return the picture without metadata; raises InvalidInput."""
    form, reader = _reader(data)
    try:
        return Picture(b"".join(reader(data)), form)
    except (_NotFollowed, IndexError, struct.error) as error:
        raise InvalidInput(_("The picture is damaged or cut off. Save it anew and send it again.")) from error


def size_of(picture: Picture) -> tuple[int, int]:
    """Return how wide and high a cleaned picture says that it is."""
    data = picture.data
    if picture.format == "png":
        width, height = struct.unpack_from(">II", data, 16)
    elif picture.format == "gif":
        width, height = struct.unpack_from("<HH", data, 6)
    elif picture.format == "jpg":
        height, width = _jpeg_size(data)
    elif data[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at + 1] not in JPEG_FRAMES:
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    height, width = struct.unpack_from(">HH", data, at + 5)
    return height, width


def _reader(data: bytes) -> tuple[str, Callable[[bytes], Iterator[bytes]]]:
    if data.startswith(PNG_START):
        return "png", _png
    if data.startswith(JPEG_START):
        return "jpg", _jpeg
    if data.startswith(GIF_STARTS):
        return "gif", _gif
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", _webp
    raise InvalidInput(_("Only pictures can be attached: PNG, JPEG, GIF or WebP."))


def _bounded(width: int, height: int) -> None:
    _demand(width > 0 and height > 0)
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLarge(
            _("A picture may be %(side)d pixels wide or high and have %(pixels)d million pixels.")
            % {"side": MAX_SIDE, "pixels": MAX_PIXELS // 1_000_000}
        )


def _demand(condition: bool) -> None:
    if not condition:
        raise _NotFollowed


def _png(data: bytes) -> Iterator[bytes]:
    yield PNG_START
    at, drawn = len(PNG_START), False
    for part in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        _demand(end <= len(data) and (kind == b"IHDR") == (part == 0))
        if kind in PNG_KEPT:
            (checksum,) = struct.unpack_from(">I", data, end - 4)
            _demand(zlib.crc32(data[at + 4 : end - 4]) == checksum)
            if kind == b"IHDR":
                _bounded(*struct.unpack_from(">II", data, at + 8))
            yield data[at:end]
        drawn = drawn or kind == b"IDAT"
        if kind == b"IEND":
            return _demand(drawn)
        at = end
    raise _NotFollowed


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield JPEG_START[:2]
    at, bounded, drawn, turned = 2, False, False, 0
    for _part in range(MAX_PARTS):
        found = _JPEG_MARKER.match(data, at) or _after_filling(data, at)
        at, marker = found.end(), data[found.end() - 1]
        if marker == 0xD9:
            yield b"\xff\xd9"
            return _demand(drawn)
        (length,) = struct.unpack_from(">H", data, at)
        end = at + length
        _demand(length >= 2 and end <= len(data))
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            _bounded(width, height)
            bounded = True
        if marker == 0xDA:
            _demand(bounded)
            scan_end = _JPEG_MARKER.search(data, end)
            if scan_end is None:
                raise _NotFollowed
            end, drawn = scan_end.start(), True
        if marker == JPEG_EXIF and not turned and (turned := _orientation(data[at + 2 : end])) > 1:
            yield _exif(turned)
        if marker in JPEG_KEPT or (marker == JPEG_ADOBE and length == 14 and data[at + 2 : at + 7] == b"Adobe"):
            yield b"\xff" + bytes([marker]) + data[at:end]
        at = end
    raise _NotFollowed


def _orientation(exif: bytes) -> int:
    """Return how Exif says that a picture is to be turned, 1 where it says nothing that can be read."""
    order = {b"II": "<", b"MM": ">"}.get(exif[6:8])
    if order is None or not exif.startswith(b"Exif\0\0"):
        return 1
    try:
        at = 6 + int(struct.unpack_from(order + "I", exif, 10)[0])
        (count,) = struct.unpack_from(order + "H", exif, at)
        for number in range(min(count, MAX_TAGS)):
            tag, kind, values, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * number)
            if (tag, kind, values) == (0x0112, 3, 1):
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _exif(orientation: int) -> bytes:
    """Return a part that says how to turn the picture and nothing else."""
    return b"\xff\xe1\0\x22Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _after_filling(data: bytes, at: int) -> "re.Match[bytes]":
    """Return the next marker where only filling stands before it."""
    found = _JPEG_MARKER.search(data, at)
    if found is None or data[at : found.start()].strip(b"\xff"):
        raise _NotFollowed
    return found


def _gif(data: bytes) -> Iterator[bytes]:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    _bounded(width, height)
    at = 13 + _table_bytes(flags)
    yield data[:at]
    drawn, budget = False, MAX_PARTS
    while budget > 0:
        begin, kind = at, data[at]
        if kind == 0x3B:
            yield b"\x3b"
            return _demand(drawn)
        if kind == 0x2C:
            left, top, width, height, flags = struct.unpack_from("<HHHHB", data, at + 1)
            _bounded(left + width, top + height)
            at, kept, drawn = at + 11 + _table_bytes(flags), True, True
        else:
            _demand(kind == 0x21)
            label, at = data[at + 1], at + 2
            kept = label == 0xF9 or (label == 0xFF and data[at + 1 : at + 12] in GIF_LOOPS)
        while length := data[at]:
            at, budget = at + 1 + length, budget - 1
        at, budget = at + 1, budget - 1
        if kept:
            yield data[begin:at]
    raise _NotFollowed


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes) -> Iterator[bytes]:
    (length,) = struct.unpack_from("<I", data, 4)
    _demand(8 + length <= len(data))
    body = b"".join(_webp_parts(data[: 8 + length], 12, WEBP_KEPT))
    _demand(any(body[at : at + 4] in {b"VP8 ", b"VP8L", b"ANMF"} for at, _end in _riff(body, 0)))
    yield b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _webp_parts(data: bytes, at: int, kept: frozenset[bytes]) -> Iterator[bytes]:
    for start, end in _riff(data, at):
        kind, body = data[start : start + 4], data[start + 8 : end]
        if kind not in kept:
            continue
        if kind == b"VP8X":
            _bounded(1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
            _demand(len(body) == 10)
            body = bytes([body[0] & WEBP_FLAGS]) + body[1:]
        elif kind == b"VP8L":
            _demand(body[0] == 0x2F)
            (bits,) = struct.unpack_from("<I", body, 1)
            _bounded(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif kind == b"VP8 ":
            _demand(body[3:6] == b"\x9d\x01\x2a")
            width, height = struct.unpack_from("<HH", body, 6)
            _bounded(width & 0x3FFF, height & 0x3FFF)
        elif kind == b"ANMF":  # a frame holds parts of its own after its place and time
            body = body[:16] + b"".join(_webp_parts(body, 16, frozenset({b"VP8 ", b"VP8L", b"ALPH"})))
        yield kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _riff(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each part begins and where its content ends; each is filled up to an even length."""
    for _part in range(MAX_PARTS):
        if at >= len(data):
            return
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length
        _demand(end <= len(data))
        yield at, end
        at = end + length % 2
    raise _NotFollowed
