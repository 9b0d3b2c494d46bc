"""FlatBuffers as far as Arrow's descriptions need them: tables whose fields are found by a list of places.

https://flatbuffers.dev/internals/. A place outside of the bytes raises Torn, and so does one before them, which Python
would count from the end.
"""

import struct
from collections.abc import Iterator

MAX_ITEMS = 100_000
MAX_TEXT = 500


class Torn(Exception):
    """These bytes are not what they say."""


class Table:
    """One table within a buffer. A field that is not there has its default; a table that is not there has no fields."""

    def __init__(self, data: bytes, position: int | None) -> None:
        self._data, self._at = data, position
        self._list, self._size = 0, 0
        if position is not None:
            self._list = position - _read(data, "i", position)
            self._size = _read(data, "H", self._list)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        return cls(data, _read(data, "I", 0))

    def has(self, field: int) -> bool:
        return self._place(field) is not None

    def number(self, field: int, form: str, default: int = 0) -> int:
        place = self._place(field)
        return default if place is None else _read(self._data, form, place)

    def table(self, field: int) -> "Table":
        place = self._place(field)
        return Table(self._data, None if place is None else place + _read(self._data, "I", place))

    def tables(self, field: int) -> list["Table"]:
        begin, count = self._items(field)
        places = range(begin, begin + 4 * count, 4)
        return [Table(self._data, place + _read(self._data, "I", place)) for place in places]

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """Yield two long numbers for each item."""
        begin, count = self._items(field)
        for place in range(begin, begin + 16 * count, 16):
            yield _read(self._data, "q", place), _read(self._data, "q", place + 8)

    def longs(self, field: int) -> Iterator[int]:
        """Yield the long numbers of a list."""
        begin, count = self._items(field)
        for place in range(begin, begin + 8 * count, 8):
            yield _read(self._data, "q", place)

    def ints(self, field: int) -> Iterator[int]:
        """Yield the short numbers of a list."""
        begin, count = self._items(field)
        for place in range(begin, begin + 4 * count, 4):
            yield _read(self._data, "i", place)

    def text(self, field: int) -> str:
        begin, count = self._items(field)
        return self._data[begin : begin + min(count, MAX_TEXT)].decode("utf-8", "replace")

    def _items(self, field: int) -> tuple[int, int]:
        place = self._place(field)
        if place is None:
            return 0, 0
        begin = place + _read(self._data, "I", place)
        count = _read(self._data, "I", begin)
        if count > MAX_ITEMS:
            raise Torn("a list is too long")
        return begin + 4, count

    def _place(self, field: int) -> int | None:
        slot = 4 + 2 * field
        if self._at is None or slot + 2 > self._size:
            return None
        offset = _read(self._data, "H", self._list + slot)
        return self._at + offset if offset else None


def _read(data: bytes, form: str, place: int) -> int:
    if place < 0:
        raise Torn("a place lies before its beginning")
    found: int = struct.unpack_from(f"<{form}", data, place)[0]
    return found
