"""Arrow's files and streams, as data sets are cached in: read by ourselves, for its library is larger than the portal.

https://arrow.apache.org/docs/format/Columnar.html has the layout, format/*.fbs beside it the numbers of the fields.
Whatever a number in the file points at is looked for within the bytes that are there.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from models_hub.tables.child.arrow_columns import MAX_VALUES, OF_TIME, UNION, Batch, Field, Value, Words
from models_hub.tables.child.budget import Unreadable
from models_hub.tables.child.flat import Table, Torn

MAGIC, GOES_ON = b"ARROW1", 0xFFFFFFFF
MAX_METADATA = 16_000_000
MAX_BODY = 256_000_000
MAX_FIELDS = 5000
MAX_DEPTH = 30
FIFTH = 4  # the number of the format’s fifth version, that of Arrow 1.0
SCHEMA, DICTIONARY, BATCH = 1, 2, 3


class ArrowFile:
    """One file or stream: `times` are the columns that hold dates or times, `position` is how far it was read."""

    def __init__(self, path: Path, *, name: str, is_cut: bool = False) -> None:
        self._path, self._name, self._is_cut = path, name, is_cut
        self.size = max(path.stat().st_size, 1)
        self.position = 0
        self.times: set[str] = set()
        self._fields: list[Field] = []
        self._dictionaries: dict[int, Words] = {}
        self._of_dictionary: dict[int, Field] = {}
        self._left = MAX_VALUES
        self._version = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows by column name, with Python's values; raises Unreadable."""
        try:
            with self._path.open("rb") as file:
                yield from self._rows(file, self._begin(file))
        except (Torn, struct.error, IndexError, ValueError, OverflowError, RecursionError) as error:
            cause = str(error)[:120] if isinstance(error, Torn) else "its bytes do not fit together"
            raise Unreadable("bad_arrow", file=self._name, cause=cause) from error

    def _begin(self, file: BinaryIO) -> int:
        """Go to the first message and return where the last one ends."""
        if file.read(8)[:6] != MAGIC:
            file.seek(0)
            return self.size
        if self._is_cut:
            return self.size
        file.seek(max(self.size - 10, 0))
        end = file.read(10)
        length: int = struct.unpack("<i", end[:4])[0]
        if end[4:] != MAGIC or not 0 < length < self.size - 10:
            raise Torn("its end is missing")
        file.seek(8)
        return self.size - 10 - length

    def _rows(self, file: BinaryIO, end: int) -> Iterator[dict[str, Any]]:
        while (message := self._message(file, end)) is not None:
            kind, header, body = message
            if kind == SCHEMA and not self._fields:
                self._read_schema(header)
            elif kind == DICTIONARY and (number := header.number(0, "q")) in self._of_dictionary:
                self._read_dictionary(number, header, body)
            elif kind == BATCH and self._fields:
                yield from self._batch(header, body)
        if not self._fields:
            raise Torn("it has no columns")

    def _read_dictionary(self, number: int, header: Table, body: memoryview) -> None:
        """Take in the words of a column, all of them or further ones."""
        field = self._of_dictionary[number]._replace(dictionary=None)
        if number not in self._dictionaries or not header.number(2, "B"):
            self._dictionaries[number] = Words()
        self._dictionaries[number].add(*Batch(self, header.table(1), body).counted(field))

    def _batch(self, header: Table, body: memoryview) -> Iterator[dict[str, Any]]:
        batch = Batch(self, header, body)
        columns = [(field.name, batch.column(field)) for field in self._fields]
        for place in range(header.number(0, "q")):
            self._left = MAX_VALUES
            yield {name: value(place) for name, value in columns}

    def _message(self, file: BinaryIO, end: int) -> tuple[int, Table, memoryview] | None:
        """Return kind, header and body of the next message, None at the end, be it where the file was cut."""
        self.position = file.tell()
        if (length := self._length(file, end)) is None:
            return None
        metadata = self._whole(file, length, end)
        if metadata is None:
            return None
        message = Table.root(metadata)
        self._version = message.number(0, "h")
        size = message.number(3, "q")
        if not 0 <= size <= MAX_BODY:
            raise Torn("one of its parts is too large")
        body = self._whole(file, size, end)
        return None if body is None else (message.number(1, "B"), message.table(2), memoryview(body))

    def _length(self, file: BinaryIO, end: int) -> int | None:
        """Return how long the description of the next message is."""
        if file.tell() + 4 > end or (head := self._whole(file, 4, end)) is None:
            return None
        length: int = struct.unpack("<I", head)[0]
        if length == GOES_ON:
            head = self._whole(file, 4, end)
            length = struct.unpack("<I", head)[0] if head else 0
        if length > MAX_METADATA:
            raise Torn("it is no Arrow file, or its description is too long")
        return length or None

    def _whole(self, file: BinaryIO, length: int, end: int) -> bytes | None:
        """Return the next bytes; None where the file was cut before their end."""
        if file.tell() + length <= end:
            return file.read(length)
        if self._is_cut:
            return None
        raise Torn("it ends too early")

    def _read_schema(self, schema: Table) -> None:
        if schema.number(0, "h"):
            raise Torn("its bytes are in another order")
        self._fields = [self._field(one, 0) for one in schema.tables(1)]
        self.times = {one.name for one in self._fields if one.kind in OF_TIME}

    def _field(self, table: Table, depth: int) -> Field:
        self._left -= MAX_VALUES // MAX_FIELDS
        if depth > MAX_DEPTH or self._left < 0:
            raise Torn("it has too many columns")
        if table.number(2, "B") == UNION and self._version < FIFTH:
            raise Torn("a column has a type that is not read here")  # its bytes stood otherwise then
        children = [self._field(one, depth + 1) for one in table.tables(5)]
        encoding = table.table(4) if table.has(4) else None
        index = encoding.table(1) if encoding and encoding.has(1) else None
        number = encoding.number(0, "q") if encoding else None
        found = Field(
            table.text(0), table.number(2, "B"), table.table(3), children, number,
            index.number(0, "i") if index else 32, bool(index.number(1, "B")) if index else True,
        )  # fmt: skip
        if number is not None:
            self._of_dictionary[number] = found
        return found

    def spend(self, values: int) -> None:
        """Take so many values from what one row may have."""
        self._left -= values
        if self._left < 0:
            raise Torn("a row has too many values")

    def dictionary(self, number: int) -> Value:
        if number not in self._dictionaries:
            raise Torn("a dictionary is missing")
        return self._dictionaries[number].at
