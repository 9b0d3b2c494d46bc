"""Arrow's files and streams, as data sets are cached in: read by ourselves, for its library is larger than the portal.

https://arrow.apache.org/docs/format/Columnar.html has the layout, format/*.fbs beside it the numbers of the fields.
Whatever a number in the file points at is looked for within the bytes that are there.
"""

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from models_hub.tables.child.budget import Unreadable
from models_hub.tables.child.flat import Table, Torn

MAGIC, GOES_ON = b"ARROW1", 0xFFFFFFFF
MAX_METADATA = 16_000_000
MAX_BODY = 256_000_000
MAX_FIELDS = 5000
MAX_DEPTH = 30
MAX_VALUES = 1_000_000  # in all lists of one row
SCHEMA, DICTIONARY, BATCH = 1, 2, 3
NULL, INT, FLOAT, BINARY, UTF8, BOOL, DECIMAL, DATE, TIME, TIMESTAMP = range(1, 11)
LIST, STRUCT = 12, 13
FIXED_BINARY, FIXED_LIST, MAP, DURATION, LARGE_BINARY, LARGE_UTF8, LARGE_LIST = range(15, 22)
OF_TIME = {DATE, TIME, TIMESTAMP}
PER_SECOND = {0: 1, 1: 1000, 2: 1_000_000, 3: 1_000_000_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Value = Callable[[int], Any]  # the value at a place of a column


class Field(NamedTuple):
    """A column, or a part of one."""

    name: str
    kind: int
    facts: Table
    children: list["Field"]
    dictionary: int | None
    index_bits: int
    index_signed: bool


class ArrowFile:
    """One file or stream: `times` are the columns that hold dates or times, `position` is how far it was read."""

    def __init__(self, path: Path, *, name: str, is_cut: bool = False) -> None:
        self._path, self._name, self._is_cut = path, name, is_cut
        self.size = max(path.stat().st_size, 1)
        self.position = 0
        self.times: set[str] = set()
        self._fields: list[Field] = []
        self._dictionaries: dict[int, Value] = {}
        self._of_dictionary: dict[int, Field] = {}
        self._left = MAX_VALUES

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
                if header.number(2, "B"):
                    raise Torn("it adds to a dictionary")
                batch = _Batch(self, header.table(1), body)
                self._dictionaries[number] = batch.column(self._of_dictionary[number]._replace(dictionary=None))
            elif kind == BATCH and self._fields:
                yield from self._batch(header, body)
        if not self._fields:
            raise Torn("it has no columns")

    def _batch(self, header: Table, body: memoryview) -> Iterator[dict[str, Any]]:
        batch = _Batch(self, header, body)
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
        return self._dictionaries[number]


class _Batch:
    """The columns of one batch, whose lengths and places of bytes come in the order of the columns."""

    def __init__(self, file: ArrowFile, header: Table, body: memoryview) -> None:
        if header.has(3):
            raise Torn("it is compressed")
        self._file, self._body = file, body
        self._lengths = header.pairs(1)
        self._places = header.pairs(2)

    def column(self, field: Field) -> Value:
        length = self._next(self._lengths)[0]
        value = self._plain(field, length)

        def within(place: int) -> Any:
            if not 0 <= place < length:
                raise Torn("a row points beyond its column")
            return value(place)

        return within

    def _plain(self, field: Field, length: int) -> Value:
        if field.kind == NULL and field.dictionary is None:
            return lambda _place: None
        valid = self._bytes()
        value = self._values(field, length)
        if not valid:
            return value
        return lambda place: value(place) if valid[place >> 3] >> (place & 7) & 1 else None

    def _values(self, field: Field, length: int) -> Value:
        if field.dictionary is not None:
            words = self._file.dictionary(field.dictionary)
            index = _numbers(self._bytes(), _whole(field.index_bits, signed=field.index_signed))
            return lambda place: words(index(place))
        if field.kind in {BINARY, UTF8, LARGE_BINARY, LARGE_UTF8}:
            return self._texts(field.kind)
        if field.kind in {LIST, LARGE_LIST, MAP}:
            ends = _numbers(self._bytes(), "q" if field.kind == LARGE_LIST else "i")
            return self._lists(field, lambda place: (ends(place), ends(place + 1)))
        if field.kind == FIXED_LIST:
            side = field.facts.number(0, "i")
            return self._lists(field, lambda place: (place * side, place * side + side))
        if field.kind == STRUCT:
            parts = [(one.name, self.column(one)) for one in field.children]
            return lambda place: {name: part(place) for name, part in parts}
        return _scalars(field, self._bytes())

    def _texts(self, kind: int) -> Value:
        ends, data = _numbers(self._bytes(), "q" if kind in {LARGE_BINARY, LARGE_UTF8} else "i"), self._bytes()
        is_text = kind in {UTF8, LARGE_UTF8}

        def value(place: int) -> str | bytes:
            begin, end = ends(place), ends(place + 1)
            if not 0 <= begin <= end <= len(data):
                raise Torn("a text lies beyond its column")
            found = bytes(data[begin:end])
            return found.decode("utf-8", "replace") if is_text else found

        return value

    def _lists(self, field: Field, places: Callable[[int], tuple[int, int]]) -> Value:
        if len(field.children) != 1:
            raise Torn("a list has no type")
        item = self.column(field.children[0])

        def value(place: int) -> list[Any]:
            begin, end = places(place)
            self._file.spend(max(end - begin, 0) + 1)
            return [item(at) for at in range(begin, end)]

        return value

    def _bytes(self) -> memoryview:
        begin, length = self._next(self._places)
        if not 0 <= begin <= begin + length <= len(self._body):
            raise Torn("a column lies beyond the file")
        return self._body[begin : begin + length]

    def _next(self, pairs: Iterator[tuple[int, int]]) -> tuple[int, int]:
        found = next(pairs, None)
        if found is None:
            raise Torn("a column is missing")
        return found


def _numbers(data: memoryview, form: str) -> Callable[[int], Any]:
    one = struct.Struct(f"<{form}")

    def value(place: int) -> Any:
        if place < 0:  # it would count from the end
            raise Torn("a number lies before its column")
        return one.unpack_from(data, place * one.size)[0]

    return value


def _whole(bits: int, *, signed: bool) -> str:
    form = {8: "b", 16: "h", 32: "i", 64: "q"}.get(bits)
    if form is None:
        raise Torn("a column has an unknown type")
    return form if signed else form.upper()


def _scalars(field: Field, data: memoryview) -> Value:
    facts = field.facts
    if field.kind == INT:
        return _numbers(data, _whole(facts.number(0, "i"), signed=bool(facts.number(1, "B"))))
    if field.kind == FLOAT:
        return _numbers(data, {0: "e", 1: "f", 2: "d"}.get(facts.number(0, "h"), "d"))
    if field.kind == BOOL:
        return lambda place: bool(data[place >> 3] >> (place & 7) & 1)
    if field.kind in {DECIMAL, FIXED_BINARY}:
        return _wide(field, data)
    if field.kind == DATE:
        is_days = facts.has(0) and not facts.number(0, "h")
        days = _numbers(data, "i" if is_days else "q")
        return lambda place: _day(days(place) if is_days else days(place) // 86_400_000)
    if field.kind in {TIME, TIMESTAMP, DURATION}:
        return _times(field, data)
    raise Torn("a column has a type that is not read here")


def _wide(field: Field, data: memoryview) -> Value:
    is_number = field.kind == DECIMAL
    size = (field.facts.number(2, "i", 128) // 8) if is_number else field.facts.number(0, "i")
    scale = field.facts.number(1, "i") if is_number else 0
    if not 0 < size <= MAX_VALUES or abs(scale) > 100:
        raise Torn("a column has an unknown type")

    def value(place: int) -> Any:
        found = bytes(data[place * size : place * size + size])
        if len(found) < size:
            raise Torn("a value lies beyond its column")
        return Decimal(int.from_bytes(found, "little", signed=True)).scaleb(-scale) if is_number else found

    return value


def _times(field: Field, data: memoryview) -> Value:
    usual = 0 if field.kind == TIMESTAMP else 1
    per_second = PER_SECOND.get(field.facts.number(0, "h", usual), 1)
    short = field.kind == TIME and field.facts.number(1, "i", 32) == 32
    number = _numbers(data, "i" if short else "q")

    def value(place: int) -> Any:
        span = number(place)
        try:
            since = timedelta(microseconds=span * 1_000_000 // per_second)
            if field.kind == DURATION:
                return since
            moment = EPOCH + since
        except OverflowError:
            return str(span)
        if field.kind == TIME:
            return time(moment.hour, moment.minute, moment.second, moment.microsecond)
        return moment if field.facts.has(1) else moment.replace(tzinfo=None)

    return value


def _day(days: int) -> date | str:
    try:
        return EPOCH.date() + timedelta(days=days)
    except OverflowError:
        return str(days)
