"""The header of a GGUF file: its metadata and tensors, by https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.

Versions 2 and 3 are read, in both byte orders. No number in the file makes us allocate: counts are held against the
bytes that are left, long lists are walked through without being kept.
"""

import math
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from models_hub.checking import FileRefused, Readable, shown

MAX_HEADER_BYTES = 64_000_000
MAX_FIELDS = 10_000
MAX_TENSORS = 100_000
MAX_TEXTS = 1_000_000  # in all lists of one file together: each must be walked over
MAX_RANK = 8
MAX_NAME = 500
MAX_SIDE = 2**48
KEPT_ITEMS = 20  # of a list
KEPT_TEXT = 20_000  # bytes of one text
READ_AHEAD = 256 * 1024
DEFAULT_ALIGNMENT = 32


class Quantization(NamedTuple):
    """How a tensor type is stored: blocks of so many elements in so many bytes."""

    name: str
    elements: int
    size: int


# ggml_type, https://github.com/ggml-org/ggml/blob/master/include/ggml.h; the gaps are types that were taken back.
TYPES = {
    0: Quantization("F32", 1, 4), 1: Quantization("F16", 1, 2), 2: Quantization("Q4_0", 32, 18),
    3: Quantization("Q4_1", 32, 20), 6: Quantization("Q5_0", 32, 22), 7: Quantization("Q5_1", 32, 24),
    8: Quantization("Q8_0", 32, 34), 9: Quantization("Q8_1", 32, 36), 10: Quantization("Q2_K", 256, 84),
    11: Quantization("Q3_K", 256, 110), 12: Quantization("Q4_K", 256, 144), 13: Quantization("Q5_K", 256, 176),
    14: Quantization("Q6_K", 256, 210), 15: Quantization("Q8_K", 256, 292), 16: Quantization("IQ2_XXS", 256, 66),
    17: Quantization("IQ2_XS", 256, 74), 18: Quantization("IQ3_XXS", 256, 98), 19: Quantization("IQ1_S", 256, 50),
    20: Quantization("IQ4_NL", 32, 18), 21: Quantization("IQ3_S", 256, 110), 22: Quantization("IQ2_S", 256, 82),
    23: Quantization("IQ4_XS", 256, 136), 24: Quantization("I8", 1, 1), 25: Quantization("I16", 1, 2),
    26: Quantization("I32", 1, 4), 27: Quantization("I64", 1, 8), 28: Quantization("F64", 1, 8),
    29: Quantization("IQ1_M", 256, 56), 30: Quantization("BF16", 1, 2), 34: Quantization("TQ1_0", 256, 54),
    35: Quantization("TQ2_0", 256, 66), 39: Quantization("MXFP4", 32, 17), 40: Quantization("NVFP4", 64, 36),
    41: Quantization("Q1_0", 128, 18),
}  # fmt: skip
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9


@dataclass(frozen=True)
class Many:
    """A list in the metadata: its first items, and how many there are."""

    items: list[Any]
    count: int


@dataclass(frozen=True)
class GgufTensor:
    """One tensor; `shape` is in GGUF's order, the fastest changing side first, `start` counts from the data's begin."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class GgufHeader:
    """What a GGUF file says of itself; the values of `metadata` are texts, numbers, truths and Many."""

    version: int
    is_big_endian: bool
    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: list[GgufTensor] = field(default_factory=list)

    def text(self, key: str) -> str:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int | None:
        value = self.metadata.get(key)
        return value if type(value) is int and 0 < value < 2**40 else None

    def length(self, key: str) -> int | None:
        value = self.metadata.get(key)
        return value.count if isinstance(value, Many) else None


def read_gguf_header(file: Readable, size: int, path: str) -> GgufHeader:
    """Return what a GGUF file declares, checked against its real size; raises FileRefused for a header that lies."""
    try:
        return _Reader(file, size).header()
    except _Lie as lie:
        raise FileRefused(
            _("“%(path)s” is not a valid GGUF file: %(why)s.") % {"path": shown(path), "why": lie.why}
        ) from lie


class _Lie(Exception):
    """What is wrong with a header."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Reader:
    """A forward reader of a header that keeps account of what it may still read."""

    def __init__(self, file: Readable, size: int) -> None:
        self._file = file
        self._size = size
        self._left = min(size, MAX_HEADER_BYTES)
        self._ahead = b""
        self._at = 0
        self._position = 0
        self._texts = 0
        self._order = "<"

    def header(self) -> GgufHeader:
        if self._take(4) != b"GGUF":
            raise _Lie(_("it does not begin with “GGUF”"))
        raw = self._take(4)
        if struct.unpack("<I", raw)[0] & 0xFFFF == 0:  # the version is a small number only in the file's own order
            self._order = ">"
        version = struct.unpack(f"{self._order}I", raw)[0]
        if version not in {2, 3}:
            raise _Lie(_("its version is %(version)d; versions 2 and 3 can be read") % {"version": version})
        tensors, fields = self._number("Q"), self._number("Q")
        if tensors > MAX_TENSORS or fields > MAX_FIELDS:
            raise _Lie(_("it declares too many tensors or fields"))
        metadata = self._metadata(fields)
        found = [self._tensor() for _index in range(tensors)]
        self._check_places(found, metadata)
        return GgufHeader(version, self._order == ">", metadata, found)

    def _metadata(self, fields: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _index in range(fields):
            key = self._name()
            if key in found:
                raise _Lie(_("a field comes twice"))
            found[key] = self._value(self._number("I"))
        return found

    def _value(self, kind: int) -> Any:
        if kind in NUMBERS:
            return self._number(NUMBERS[kind])
        if kind == TEXT:
            return self._text()
        if kind == LIST:
            return self._list()
        raise _Lie(_("a field has an unknown type"))

    def _list(self) -> Many:
        kind, count = self._number("I"), self._number("Q")
        if kind in NUMBERS:
            width = struct.calcsize(NUMBERS[kind])
            if count * width > self._left:
                raise _Lie(_("a list is longer than the file"))
            kept = [self._number(NUMBERS[kind]) for _index in range(min(count, KEPT_ITEMS))]
            self._skip((count - len(kept)) * width)
            return Many(kept, count)
        if kind != TEXT:
            raise _Lie(_("a list has items that cannot be read"))
        self._texts += count
        if count * 8 > self._left or self._texts > MAX_TEXTS:
            raise _Lie(_("a list is longer than the file, or too long"))
        texts = [self._text() for _index in range(min(count, KEPT_ITEMS))]
        for _index in range(count - len(texts)):
            self._skip(self._number("Q"))
        return Many(texts, count)

    def _tensor(self) -> GgufTensor:
        name, rank = self._name(), self._number("I")
        if rank > MAX_RANK:
            raise _Lie(_("a tensor has too many sides"))
        shape = tuple(self._number("Q") for _index in range(rank))
        stored = TYPES.get(self._number("I"))
        if stored is None:
            raise _Lie(_("a tensor has an unknown type"))
        elements = 1
        for side in shape:
            elements *= side
            if elements > MAX_SIDE:
                raise _Lie(_("a tensor is larger than the file"))
        if shape and shape[0] % stored.elements:
            raise _Lie(_("a tensor’s first side does not fit its type"))
        return GgufTensor(name, stored.name, shape, self._number("Q"), elements // stored.elements * stored.size)

    def _check_places(self, tensors: list[GgufTensor], metadata: dict[str, Any]) -> None:
        alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if type(alignment) is not int or not 0 < alignment <= 2**20 or alignment & (alignment - 1):
            raise _Lie(_("its alignment is not a power of two"))
        room = self._size - -(-self._position // alignment) * alignment
        if len({tensor.name for tensor in tensors}) != len(tensors):
            raise _Lie(_("two tensors have the same name"))
        end = 0
        for tensor in sorted(tensors, key=lambda one: one.start):
            if tensor.start < end or tensor.start % alignment:
                raise _Lie(_("its tensors overlap or do not lie where they may"))
            end = tensor.start + tensor.size
        if end > max(room, 0):
            raise _Lie(_("its tensors do not fit into the file: it is truncated"))

    def _name(self) -> str:
        length = self._number("Q")
        if not 0 < length <= MAX_NAME:
            raise _Lie(_("a name is empty or too long"))
        name = self._take(length).decode("utf-8", "replace")
        if not name.isprintable():
            raise _Lie(_("a name holds control characters"))
        return name

    def _text(self) -> str:
        length = self._number("Q")
        if length > self._left:
            raise _Lie(_("a text is longer than the file"))
        kept = self._take(min(length, KEPT_TEXT))
        self._skip(length - len(kept))
        return kept.decode("utf-8", "replace").replace("\x00", "\ufffd")

    def _number(self, form: str) -> Any:
        value = struct.unpack(self._order + form, self._take(struct.calcsize(form)))[0]
        # Neither JSON nor a page could show what is no number.
        return 0.0 if isinstance(value, float) and not -1e38 < value < 1e38 else value

    def _skip(self, length: int) -> None:
        if length > self._left:
            raise _Lie(_("a text is longer than the file"))
        while length:
            length -= len(self._take(min(length, READ_AHEAD)))

    def _take(self, length: int) -> bytes:
        if length > self._left:
            raise _Lie(_("it ends in the middle of its header, or its header is too long"))
        if self._at + length > len(self._ahead):
            self._ahead = self._ahead[self._at :] + self._more(length)
            self._at = 0
        data = self._ahead[self._at : self._at + length]
        if len(data) != length:
            raise _Lie(_("it ends in the middle of its header, or its header is too long"))
        self._at += length
        self._left -= length
        self._position += length
        return data

    def _more(self, length: int) -> bytes:
        return self._file.read(max(length, READ_AHEAD))
