"""What an ONNX file computes: its inputs, outputs, operators and weights, by a bounded reader of protocol buffers.

https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers of the fields. Weights are passed over, and no
length in the file makes us allocate.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from models_hub.viewers import tensors
from models_hub.viewers.reading import PlaceReader, TooMuch
from models_hub.viewers.shown import Place, Shown
from models_hub.viewers.tensors import Row

MAX_READ = 64_000_000
MAX_FIELDS = 1_000_000
MAX_TEXT = 500
MAX_PORTS = 100
WINDOW = 65536
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
TYPES = {
    1: "FLOAT", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 6: "INT32", 7: "INT64", 8: "STRING", 9: "BOOL",
    10: "FLOAT16", 11: "DOUBLE", 12: "UINT32", 13: "UINT64", 14: "COMPLEX64", 15: "COMPLEX128", 16: "BFLOAT16",
    17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ", 19: "FLOAT8E5M2", 20: "FLOAT8E5M2FNUZ", 21: "UINT4", 22: "INT4",
    23: "FLOAT4E2M1",
}  # fmt: skip
BITS = {
    "FLOAT": 32, "UINT8": 8, "INT8": 8, "UINT16": 16, "INT16": 16, "INT32": 32, "INT64": 64, "BOOL": 8, "FLOAT16": 16,
    "DOUBLE": 64, "UINT32": 32, "UINT64": 64, "COMPLEX64": 64, "COMPLEX128": 128, "BFLOAT16": 16, "UINT4": 4, "INT4": 4,
    "FLOAT4E2M1": 4, "FLOAT8E4M3FN": 8, "FLOAT8E4M3FNUZ": 8, "FLOAT8E5M2": 8, "FLOAT8E5M2FNUZ": 8,
}  # fmt: skip


class Field(NamedTuple):
    """A field of a message: a number, or the place of its bytes."""

    number: int
    value: int
    start: int = 0
    end: int = 0


class Port(NamedTuple):
    """An input or output of the graph; `shape` holds numbers and names of free sides."""

    name: str
    dtype: str
    shape: str


class Broken(Exception):
    """These bytes are no message."""


class _Bytes:
    """The file, read by windows."""

    def __init__(self, reader: PlaceReader, size: int) -> None:
        self._reader, self.size = reader, size
        self._window, self._start = b"", 0
        self._fields = MAX_FIELDS

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Walk through the fields of a message."""
        position = start
        while position < end:
            self._fields -= 1
            if self._fields < 0:
                raise TooMuch
            key, position = self._varint(position, end)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, position = self._varint(position, end)
                yield Field(number, value)
                continue
            length = {FIXED64: 8, FIXED32: 4}.get(wire)
            if wire == BYTES:
                length, position = self._varint(position, end)
            if length is None or position + length > end or not number:
                raise Broken
            yield Field(number, 0, position, position + length)
            position += length

    def text(self, field: Field) -> str:
        length = min(field.end - field.start, MAX_TEXT)
        return self._take(field.start, length).decode("utf-8", "replace")

    def varints(self, field: Field) -> list[int]:
        """Return numbers that stand one behind the other, at most as many as a shape may have."""
        found: list[int] = []
        position = field.start
        while position < field.end and len(found) < 32:
            value, position = self._varint(position, field.end)
            found.append(value)
        return found

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        value = 0
        for index, byte in enumerate(self._take(position, min(10, end - position))):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value, position + index + 1
        raise Broken

    def _take(self, start: int, length: int) -> bytes:
        if start < self._start or start + length > self._start + len(self._window):
            self._reader.seek(start)
            self._window, self._start = self._reader.read(min(max(length, WINDOW), self.size - start)), start
        return self._window[start - self._start : start - self._start + length]


class _Model:
    """What is counted while the messages are walked through."""

    def __init__(self, data: _Bytes) -> None:
        self.data = data
        self.producer: list[str] = []
        self.ir = 0
        self.opsets: list[tuple[str, int]] = []
        self.operators: Counter[str] = Counter()
        self.weights: list[Row] = []
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []
        self.has_graph = False

    def read(self) -> None:
        for field in self.data.fields(0, self.data.size):
            if field.number == 1:
                self.ir = field.value
            elif field.number in {2, 3}:
                self.producer.append(self.data.text(field))
            elif field.number == 7:
                self._graph(field)
            elif field.number == 8:
                self._opset(field)

    def _opset(self, field: Field) -> None:
        domain, version = "", 0
        for part in self.data.fields(field.start, field.end):
            if part.number == 1:
                domain = self.data.text(part)
            elif part.number == 2:
                version = part.value
        if len(self.opsets) < MAX_PORTS:
            self.opsets.append((domain or "ai.onnx", version))

    def _graph(self, field: Field) -> None:
        self.has_graph = True
        for part in self.data.fields(field.start, field.end):
            if part.number == 1:
                self._node(part)
            elif part.number == 5:
                self.weights.append(self._weight(part))
            elif part.number == 11 and len(self.inputs) < MAX_PORTS:
                self.inputs.append(self._port(part))
            elif part.number == 12 and len(self.outputs) < MAX_PORTS:
                self.outputs.append(self._port(part))

    def _node(self, field: Field) -> None:
        for part in self.data.fields(field.start, field.end):
            if part.number == 4:
                name = self.data.text(part)[:80]
                self.operators[name if len(self.operators) < 500 or name in self.operators else "…"] += 1

    def _weight(self, field: Field) -> Row:
        shape: list[int] = []
        dtype, name = "?", ""
        for part in self.data.fields(field.start, field.end):
            if part.number == 1:
                shape += self.data.varints(part) if part.end else [part.value]
            elif part.number == 2:
                dtype = TYPES.get(part.value, "?")
            elif part.number == 8:
                name = self.data.text(part)
        elements = 1
        for side in shape[:32]:
            elements = min(elements * side, 2**60)
        return Row(name, dtype, tuple(shape[:32]), elements, elements * BITS.get(dtype, 0) // 8)

    def _port(self, field: Field) -> Port:
        name, dtype, shape = "", "", "?"
        for part in self.data.fields(field.start, field.end):
            if part.number == 1:
                name = self.data.text(part)
            elif part.number == 2:
                for kind in self.data.fields(part.start, part.end):
                    if kind.number == 1 and kind.end:
                        dtype, shape = self._tensor_type(kind)
        return Port(name, dtype, shape)

    def _tensor_type(self, field: Field) -> tuple[str, str]:
        dtype = "?"
        sides: list[str] = []
        for part in self.data.fields(field.start, field.end):
            if part.number == 1:
                dtype = TYPES.get(part.value, "?")
            elif part.number == 2 and part.end:
                for side in self.data.fields(part.start, part.end):
                    if side.end and len(sides) < 32:
                        sides.append(self._side(side))
        return dtype, f"[{', '.join(sides)}]"

    def _side(self, field: Field) -> str:
        for part in self.data.fields(field.start, field.end):
            if part.number == 1:
                return str(part.value)
            if part.number == 2:
                return self.data.text(part)[:60]
        return "?"


def model(place: Place) -> Shown | None:
    """Show a summary of the graph; None for a file that is none."""
    found = _Model(_Bytes(PlaceReader(place, MAX_READ), place.entry.size))
    is_whole = True
    try:
        found.read()
    except TooMuch:
        is_whole = False
    except Broken:
        return None
    if not found.has_graph:
        return None
    names = {row.name for row in found.weights}
    about = {
        "producer": " ".join(found.producer),
        "ir": found.ir,
        "opsets": found.opsets,
        "operators": found.operators.most_common(),
        "nodes": sum(found.operators.values()),
        # Before version 4 the weights were named among the inputs.
        "inputs": [port for port in found.inputs if port.name not in names],
        "outputs": found.outputs,
        "is_whole": is_whole,
        "tensors": tensors.view(found.weights, place.asked) if found.weights else None,
    }
    return Shown("onnx", about)
