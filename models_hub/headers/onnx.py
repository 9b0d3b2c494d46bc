"""What an ONNX file says of itself: its graph's ports, operators and weights, by a bounded reader of protocol buffers.

https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers of the fields. Weights are passed over, and no
length in the file makes us allocate.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Protocol

MAX_READ = 64_000_000
MAX_FIELDS = 300_000
MAX_TEXT = 500
MAX_PORTS = 100
MAX_RANK = 32
MAX_SIDE = 2**48  # of all sides together, as of tensors in other formats
WINDOW = 16_384
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
# The inputs of operators on quantized numbers that say how to read the others: scales, zero points, orders of groups.
BESIDE = {
    "DequantizeLinear": {1, 2}, "QuantizeLinear": {1, 2}, "MatMulInteger": {2, 3}, "ConvInteger": {2, 3},
    "QLinearMatMul": {1, 2, 4, 5, 6, 7}, "QLinearConv": {1, 2, 4, 5, 6, 7}, "QGemm": {1, 2, 4, 5, 7, 8},
    "DynamicQuantizeMatMul": {2, 3}, "MatMulIntegerToFloat": {2, 3, 4, 5}, "QAttention": {3, 4, 6, 7},
    "MatMulNBits": {2, 3, 4}, "GatherBlockQuantized": {2, 3},
}  # fmt: skip
# The input of an operator that holds several small numbers in each byte.
PACKED = {"MatMulNBits": 1, "GatherBlockQuantized": 0}
USUAL_BITS = 4
# Operators that hold weights, or graphs with weights of their own.
HOLDERS = {"Constant", "If", "Loop", "Scan", "SequenceMap"}
MAX_DEPTH = 12  # of graphs within graphs


class Seekable(Protocol):
    """A file that is read at some places."""

    def seek(self, position: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


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


class OnnxTensor(NamedTuple):
    """A weight of the graph: `room` is how many elements its data can hold, `elsewhere` a file and its end there.

    `size` is 0 where its type is not known, or is text.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    size: int
    room: int
    elsewhere: tuple[str, int] | None = None


class Packing(NamedTuple):
    """How a weight of few bits is stored; `elements` is 0 where the operator does not say how many it has."""

    bits: int
    elements: int


class Broken(Exception):
    """These bytes are no message."""


class TooLong(Exception):
    """There is more to read than may be."""


class _Bytes:
    """The file, read by windows."""

    def __init__(self, file: Seekable, size: int) -> None:
        self._file, self.size = file, size
        self._window, self._start = b"", 0
        self._fields, self._left = MAX_FIELDS, MAX_READ

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Walk through the fields of a message."""
        position = start
        while position < end:
            self._fields -= 1
            if self._fields < 0:
                raise TooLong
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
        while position < field.end and len(found) < MAX_RANK:
            value, position = self._varint(position, field.end)
            found.append(value)
        return found

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        place = position - self._start
        if 0 <= place < len(self._window) and position < end and (first := self._window[place]) < 0x80:
            return first, position + 1  # nearly all of them: half the time
        value = 0
        for index, byte in enumerate(self._take(position, min(10, end - position))):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value, position + index + 1
        raise Broken

    def _take(self, start: int, length: int) -> bytes:
        if start < self._start or start + length > self._start + len(self._window):
            wanted = min(max(length, WINDOW), self.size - start)
            self._left -= wanted
            if self._left < 0:
                raise TooLong
            self._file.seek(start)
            self._window, self._start = self._file.read(wanted), start
        return self._window[start - self._start : start - self._start + length]


class Graph:
    """What a file holds, as far as it was read: reading ends with Broken or TooLong where it cannot go on."""

    def __init__(self, file: Seekable, size: int) -> None:
        self._data = _Bytes(file, size)
        self.producer: list[str] = []
        self.ir = 0
        self.opsets: list[tuple[str, int]] = []
        self.operators: Counter[str] = Counter()
        self.weights: list[OnnxTensor] = []
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []
        self.is_there = False
        self.beside: set[str] = set()  # names of weights that only say how to read others
        self.packed: dict[str, Packing] = {}
        self._inner: set[tuple[str, str, tuple[int, ...]]] = set()

    def read(self) -> None:
        data = self._data
        for field in data.fields(0, data.size):
            if field.number == 1:
                self.ir = field.value
            elif field.number in {2, 3} and len(self.producer) < 2:
                self.producer.append(data.text(field))
            elif field.number == 7:
                self._graph(field)
            elif field.number == 8:
                self._opset(field)
            elif field.number == 25:
                self._function(field)

    def _opset(self, field: Field) -> None:
        domain, version = "", 0
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                domain = self._data.text(part)
            elif part.number == 2:
                version = part.value
        if len(self.opsets) < MAX_PORTS:
            self.opsets.append((domain or "ai.onnx", version))

    def _graph(self, field: Field) -> None:
        self.is_there = True
        self._parts(field, depth=0)

    def _parts(self, field: Field, *, depth: int) -> None:
        """Take in a graph; of one within another its inputs and outputs are nobody's affair."""
        if depth > MAX_DEPTH:
            raise TooLong
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                self._node(part, depth)
            elif part.number == 5:
                self._hold(self._weight(part), is_inner=depth > 0)
            elif part.number == 11 and not depth and len(self.inputs) < MAX_PORTS:
                self.inputs.append(self._port(part))
            elif part.number == 12 and not depth and len(self.outputs) < MAX_PORTS:
                self.outputs.append(self._port(part))

    def _function(self, field: Field) -> None:
        """Take in a function, which nodes of the graph call; its weights are constants among its nodes."""
        for part in self._data.fields(field.start, field.end):
            if part.number == 7:
                self._node(part, 1)

    def _hold(self, weight: OnnxTensor, *, is_inner: bool) -> None:
        """Note a weight. Branches that each bring the same one, by its name and shape, bring it once."""
        known = (weight.name, weight.dtype, weight.shape)
        if not (is_inner and known in self._inner):
            self.weights.append(weight)
        if is_inner:
            self._inner.add(known)

    def _node(self, field: Field, depth: int) -> None:
        inputs: list[Field] = []
        attributes: list[Field] = []
        name, output = "", ""
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                inputs.append(part)
            elif part.number == 2 and not output:
                output = self._data.text(part)
            elif part.number == 4:
                name = self._data.text(part)[:80]
            elif part.number == 5:
                attributes.append(part)
        self.operators[name if len(self.operators) < 500 or name in self.operators else "…"] += 1
        if name in BESIDE:
            self.beside.update(self._data.text(part) for at, part in enumerate(inputs[:10]) if at in BESIDE[name])
        if name in PACKED and len(inputs) > PACKED[name]:
            numbers = dict(self._attribute(part) for part in attributes[:20])
            elements = min(numbers.get("K", 0) * numbers.get("N", 0), MAX_SIDE)
            self.packed[self._data.text(inputs[PACKED[name]])] = Packing(numbers.get("bits", USUAL_BITS), elements)
        if name in HOLDERS:
            for attribute in attributes[:20]:
                self._held_by(attribute, output, depth)

    def _held_by(self, field: Field, output: str, depth: int) -> None:
        """Take in what an attribute holds: the value of a constant, which bears the name of the output, or graphs."""
        for part in self._data.fields(field.start, field.end):
            if part.number == 5 and part.end:
                self._hold(self._weight(part)._replace(name=output), is_inner=True)
            elif part.number in {6, 11} and part.end:
                self._parts(part, depth=depth + 1)

    def _attribute(self, field: Field) -> tuple[str, int]:
        name, number = "", 0
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                name = self._data.text(part)
            elif part.number == 3:
                number = part.value
        return name, number

    def _weight(self, field: Field) -> OnnxTensor:
        shape: list[int] = []
        dtype, name, held, raw = "?", "", 0, None
        elsewhere: dict[str, str] = {}
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                shape += self._data.varints(part) if part.end else [part.value]
            elif part.number == 2:
                dtype = TYPES.get(part.value, "?")
            elif part.number in {4, 5, 7, 10, 11}:  # numbers of one kind, packed or one by one, of a byte at least
                held += part.end - part.start if part.end else 1
            elif part.number == 8:
                name = self._data.text(part)
            elif part.number == 9:
                raw = part.end - part.start
            elif part.number == 13 and len(elsewhere) < MAX_RANK:
                elsewhere.update([self._pair(part)])
        elements = 1
        for side in shape[:MAX_RANK]:
            elements = min(elements * side, 2**60)
        bits = BITS.get(dtype, 0)
        size = -(-elements * bits // 8)
        room = held * (2 if 0 < bits < 8 else 1) if raw is None else elements if raw == size else 0
        found = OnnxTensor(name, dtype, tuple(shape[:MAX_RANK]), elements, size, room)
        return found._replace(room=elements, elsewhere=_place(elsewhere, size)) if elsewhere else found

    def _pair(self, field: Field) -> tuple[str, str]:
        texts = {part.number: self._data.text(part) for part in self._data.fields(field.start, field.end) if part.end}
        return texts.get(1, ""), texts.get(2, "")

    def _port(self, field: Field) -> Port:
        name, dtype, shape = "", "", "?"
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                name = self._data.text(part)
            elif part.number == 2:
                for kind in self._data.fields(part.start, part.end):
                    if kind.number == 1 and kind.end:
                        dtype, shape = self._tensor_type(kind)
        return Port(name, dtype, shape)

    def _tensor_type(self, field: Field) -> tuple[str, str]:
        dtype = "?"
        sides: list[str] = []
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                dtype = TYPES.get(part.value, "?")
            elif part.number == 2 and part.end:
                for side in self._data.fields(part.start, part.end):
                    if side.end and len(sides) < MAX_RANK:
                        sides.append(self._side(side))
        return dtype, f"[{', '.join(sides)}]"

    def _side(self, field: Field) -> str:
        for part in self._data.fields(field.start, field.end):
            if part.number == 1:
                return str(part.value)
            if part.number == 2:
                return self._data.text(part)[:60]
        return "?"


def _place(told: dict[str, str], size: int) -> tuple[str, int]:
    """Return the file that holds a weight, and where in it the weight ends; "" for a place that does not fit it."""
    begin, length = told.get("offset", "0"), told.get("length", str(size))
    if not (begin.isdecimal() and length.isdecimal() and len(begin) < 16 and int(length or -1) == size):
        return "", 0
    return told.get("location", ""), int(begin) + size
