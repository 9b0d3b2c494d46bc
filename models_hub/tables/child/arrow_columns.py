"""Columns of Arrow: what stands at a place of one, found when it is asked for in the bytes of its batch."""

import struct
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from models_hub.tables.child.arrow_buffers import Buffers
from models_hub.tables.child.flat import Table, Torn

MAX_VALUES = 1_000_000  # in all lists of one row
NULL, INT, FLOAT, BINARY, UTF8, BOOL, DECIMAL, DATE, TIME, TIMESTAMP = range(1, 11)
LIST, STRUCT, UNION, FIXED_BINARY, FIXED_LIST, MAP, DURATION, LARGE_BINARY, LARGE_UTF8, LARGE_LIST = range(12, 22)
RUNS, BINARY_VIEW, UTF8_VIEW, LIST_VIEW, LARGE_LIST_VIEW = range(22, 27)
OF_TIME = {DATE, TIME, TIMESTAMP}
PER_SECOND = {0: 1, 1: 1000, 2: 1_000_000, 3: 1_000_000_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INLINE = 12  # bytes of a text that stand in its view

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


class Owner(Protocol):
    """The file that a batch is of."""

    def spend(self, values: int) -> None: ...

    def dictionary(self, number: int) -> Value: ...


class Words:
    """The words of a column that are numbered: those of one message, and those that later ones add."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._parts: list[Value] = []
        self._count = 0

    def add(self, count: int, words: Value) -> None:
        if count < 0:
            raise Torn("a dictionary has no length")
        self._begins.append(self._count)
        self._parts.append(words)
        self._count += count

    def at(self, place: int) -> Any:
        if not 0 <= place < self._count:
            raise Torn("a row points beyond its dictionary")
        part = bisect_right(self._begins, place) - 1
        return self._parts[part](place - self._begins[part])


class Batch:
    """The columns of one batch, whose lengths and places of bytes come in the order of the columns."""

    def __init__(self, file: Owner, header: Table, body: memoryview) -> None:
        self._file = file
        self._lengths = header.pairs(1)
        self._buffers = Buffers(header, body)
        self._views = header.longs(4)

    def column(self, field: Field) -> Value:
        return self.counted(field)[1]

    def counted(self, field: Field) -> tuple[int, Value]:
        """Return how long the next column is, and its values."""
        length = next(self._lengths, (None, 0))[0]
        if length is None:
            raise Torn("a column is missing")
        value = self._plain(field, length)

        def within(place: int) -> Any:
            if not 0 <= place < length:
                raise Torn("a row points beyond its column")
            return value(place)

        return length, within

    def _plain(self, field: Field, length: int) -> Value:
        if field.kind == NULL and field.dictionary is None:
            return lambda _place: None
        if field.dictionary is None and field.kind in {UNION, RUNS}:  # theirs is the validity of their parts
            return self._union(field) if field.kind == UNION else self._runs(field)
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
        if field.kind in {BINARY_VIEW, UTF8_VIEW}:
            return self._viewed_texts(is_text=field.kind == UTF8_VIEW)
        if field.kind in {LIST, LARGE_LIST, MAP}:
            ends = _numbers(self._bytes(), "q" if field.kind == LARGE_LIST else "i")
            return self._lists(field, lambda place: (ends(place), ends(place + 1)))
        if field.kind in {LIST_VIEW, LARGE_LIST_VIEW}:
            form = "q" if field.kind == LARGE_LIST_VIEW else "i"
            begins, sizes = _numbers(self._bytes(), form), _numbers(self._bytes(), form)
            return self._lists(field, lambda place: (begins(place), begins(place) + sizes(place)))
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

    def _viewed_texts(self, *, is_text: bool) -> Value:
        """Texts of which short ones stand in their view, and long ones in one of several buffers."""
        views = self._bytes()
        count = next(self._views, 0)
        if not 0 <= count <= MAX_VALUES:
            raise Torn("a column has too many parts")
        parts = [self._bytes() for _part in range(count)]

        def value(place: int) -> str | bytes:
            view = bytes(views[place * 16 : place * 16 + 16])
            length, index, begin = struct.unpack_from("<i4xii", view)
            if length <= INLINE:
                found = view[4 : 4 + max(length, 0)]
            elif 0 <= index < len(parts) and 0 <= begin <= begin + length <= len(parts[index]):
                found = bytes(parts[index][begin : begin + length])
            else:
                raise Torn("a text lies beyond its column")
            return found.decode("utf-8", "replace") if is_text else found

        return value

    def _union(self, field: Field) -> Value:
        """Values of several kinds: for each place the kind, and where it is among those of its kind."""
        is_dense = bool(field.facts.number(0, "h"))
        kinds = _numbers(self._bytes(), "b")
        places = _numbers(self._bytes(), "i") if is_dense else None
        numbers = list(field.facts.ints(1)) or list(range(len(field.children)))
        parts = dict(zip(numbers, [self.column(one) for one in field.children], strict=False))

        def value(place: int) -> Any:
            part = parts.get(kinds(place))
            if part is None:
                raise Torn("a value is of no kind of its column")
            self._file.spend(1)
            return part(places(place) if places else place)

        return value

    def _runs(self, field: Field) -> Value:
        """Values that stand once for a run of places; the ends of the runs only grow."""
        if len(field.children) != 2:
            raise Torn("a column of runs has no values")
        count, ends = self.counted(field.children[0])
        values = self.column(field.children[1])
        return lambda place: values(bisect_right(range(count), place, key=ends))

    def _bytes(self) -> memoryview:
        return self._buffers.take()


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
