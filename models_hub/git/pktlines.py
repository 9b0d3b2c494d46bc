"""Git's lines on the wire: four digits of length, then that many bytes. https://git-scm.com/docs/protocol-common"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

MAX_LINE = 65520
PACK, MESSAGE, FAILURE = 1, 2, 3


class Mark(Enum):
    """What stands between lines."""

    FLUSH = b"0000"
    DELIMITER = b"0001"
    END = b"0002"


FLUSH = Mark.FLUSH.value
DELIMITER = Mark.DELIMITER.value
_MARKS = {mark.value: mark for mark in Mark}

Line = bytes | Mark


class LineRefused(InvalidInput):
    """A request that is not made of git's lines."""

    code = "bad_pkt_line"


def line(text: bytes | str) -> bytes:
    """Return one line as it is sent."""
    data = text.encode() if isinstance(text, str) else text
    return b"%04x" % (len(data) + 4) + data


def read(take: Callable[[int], bytes]) -> Line | None:
    """Return the next line without its end, a mark, or None at the end of the request. `take` gives at most n bytes."""
    head = take(4)
    if not head:
        return None
    if head in _MARKS:
        return _MARKS[head]
    try:
        length = int(head.decode("ascii"), 16) if len(head) == 4 and head.isalnum() else 0
    except ValueError:
        length = 0
    data = take(length - 4) if 4 < length <= MAX_LINE else b""
    if length < 4 or len(data) != length - 4:
        raise _refused()
    return data.removesuffix(b"\n")


def lines(take: Callable[[int], bytes]) -> Iterator[Line]:
    """Yield all lines and marks of a request."""
    while (one := read(take)) is not None:
        yield one


def banded(band: int, blocks: Iterable[bytes], *, most: int = MAX_LINE) -> Iterator[bytes]:
    """Yield blocks as lines of a side band, each of at most `most` bytes."""
    room = most - 5
    for block in blocks:
        view = memoryview(block)
        for start in range(0, len(view), room):
            part = view[start : start + room]
            yield b"%04x%c" % (len(part) + 5, band)
            yield bytes(part)


def message(text: str, band: int = MESSAGE) -> bytes:
    """Return a text that git prints after “remote:”, line by line."""
    return b"".join(banded(band, [f"{text}\n".encode()], most=1000))


def error(text: str) -> bytes:
    """Return the line with which a conversation ends: git prints its text."""
    return line(f"ERR {text}\n"[:60_000])


def word(value: bytes) -> str:
    """Return a name as text; raises LineRefused when it is none."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise _refused() from wrong


def _refused() -> LineRefused:
    return LineRefused(_("The request is not one of git’s."))
