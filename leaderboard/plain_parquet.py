"""A plain Parquet file of one small table: one row group, one uncompressed page a column, every value optional.

The format is simple where nothing is compressed or encoded, so no library of a hundred megabytes is asked for.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"
INT64, DOUBLE, TEXT = 2, 5, 6  # physical types; text is bytes that are marked as UTF-8
PLAIN, RLE = 0, 3
OPTIONAL, UTF8, UNCOMPRESSED = 1, 0, 0
# What Thrift's compact protocol calls its types.
I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12

_PACK: dict[int, Callable[[Any], bytes]] = {
    INT64: struct.Struct("<q").pack,
    DOUBLE: struct.Struct("<d").pack,
    TEXT: lambda text: struct.pack("<I", len(text.encode())) + text.encode(),
}


@dataclass(frozen=True)
class Column:
    """A column of whole numbers, numbers or texts; None stands for what is not known."""

    name: str
    type: int
    values: Sequence[Any]


def table(columns: Sequence[Column]) -> bytes:
    """Return the file."""
    count = len(columns[0].values)
    body, chunks = MAGIC, []
    for column in columns:
        page = _page(column)
        chunks.append(_chunk(column, offset=len(body), size=len(page)))
        body += page
    root = _struct((4, BINARY, _bytes(b"table")), (5, I32, _integer(len(columns))))
    group = _struct(
        (1, LIST, _list(STRUCT, chunks)), (2, I64, _integer(len(body) - len(MAGIC))), (3, I64, _integer(count))
    )
    footer = _struct(
        (1, I32, _integer(1)),
        (2, LIST, _list(STRUCT, [root, *(_schema(column) for column in columns)])),
        (3, I64, _integer(count)),
        (4, LIST, _list(STRUCT, [group])),
    )
    return body + footer + struct.pack("<I", len(footer)) + MAGIC


def _page(column: Column) -> bytes:
    """Return a data page: which values are there, as bits, then those values one after the other."""
    there = [value is not None for value in column.values]
    bits = int("".join("1" if one else "0" for one in reversed(there)) or "0", 2)
    groups = (len(there) + 7) // 8
    levels = _varint(groups << 1 | 1) + bits.to_bytes(groups, "little")
    pack = _PACK[column.type]
    data = (
        struct.pack("<I", len(levels)) + levels + b"".join(pack(value) for value in column.values if value is not None)
    )
    header = _struct(
        (1, I32, _integer(0)),  # a data page
        (2, I32, _integer(len(data))),
        (3, I32, _integer(len(data))),
        (5, STRUCT, _struct(*((place, I32, _integer(n)) for place, n in enumerate((len(there), PLAIN, RLE, RLE), 1)))),
    )
    return header + data


def _chunk(column: Column, *, offset: int, size: int) -> bytes:
    meta = _struct(
        (1, I32, _integer(column.type)),
        (2, LIST, _list(I32, [_integer(PLAIN), _integer(RLE)])),
        (3, LIST, _list(BINARY, [_bytes(column.name.encode())])),
        (4, I32, _integer(UNCOMPRESSED)),
        (5, I64, _integer(len(column.values))),
        (6, I64, _integer(size)),
        (7, I64, _integer(size)),
        (9, I64, _integer(offset)),
    )
    return _struct((2, I64, _integer(offset)), (3, STRUCT, meta))


def _schema(column: Column) -> bytes:
    text = [(6, I32, _integer(UTF8))] if column.type == TEXT else []
    return _struct(
        (1, I32, _integer(column.type)), (3, I32, _integer(OPTIONAL)), (4, BINARY, _bytes(column.name.encode())), *text
    )


def _struct(*fields: tuple[int, int, bytes]) -> bytes:
    """Return fields, each with how far its number is from the one before, and the mark of the end."""
    written, before = b"", 0
    for number, kind, value in fields:
        written += bytes([(number - before) << 4 | kind]) + value
        before = number
    return written + b"\0"


def _list(kind: int, items: Iterable[bytes]) -> bytes:
    found = list(items)
    head = bytes([len(found) << 4 | kind]) if len(found) < 15 else bytes([0xF0 | kind]) + _varint(len(found))
    return head + b"".join(found)


def _bytes(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _integer(value: int) -> bytes:
    """Return a whole number that is not negative, as Thrift writes signed ones."""
    return _varint(value << 1)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
