"""Files of weights as small as can be, for tests of what their headers tell."""

import json
import math
import struct

F32, F16, Q4_0, Q4_K = 0, 1, 2, 12
U32, TEXT, LIST = 4, 8, 9
BYTES = {F32: (1, 4), F16: (1, 2), Q4_0: (32, 18), Q4_K: (256, 144)}


def gguf_text(text: str, order: str = "<") -> bytes:
    data = text.encode()
    return struct.pack(f"{order}Q", len(data)) + data


def gguf_value(value: object, order: str = "<") -> bytes:
    if isinstance(value, str):
        return struct.pack(f"{order}I", TEXT) + gguf_text(value, order)
    if isinstance(value, list):
        items = b"".join(gguf_text(item, order) for item in value)
        return struct.pack(f"{order}IIQ", LIST, TEXT, len(value)) + items
    assert isinstance(value, int)
    return struct.pack(f"{order}II", U32, value)


def gguf(fields: dict[str, object], tensors: dict[str, tuple[tuple[int, ...], int]], *, version: int = 3) -> bytes:
    """A whole GGUF file; tensors by name with shape and type."""
    return gguf_in("<", fields, tensors, version)


def gguf_in(
    order: str, fields: dict[str, object], tensors: dict[str, tuple[tuple[int, ...], int]], version: int = 3
) -> bytes:
    header = b"GGUF" + struct.pack(f"{order}IQQ", version, len(tensors), len(fields))
    for key, value in fields.items():
        header += gguf_text(key, order) + gguf_value(value, order)
    position = 0
    for name, (shape, kind) in tensors.items():
        elements = 1
        for side in shape:
            elements *= side
        header += gguf_text(name, order) + struct.pack(f"{order}I{len(shape)}QIQ", len(shape), *shape, kind, position)
        block, size = BYTES[kind]
        position += -(-(elements // block * size) // 32) * 32
    return header + bytes(-len(header) % 32 + position)


LLAMA: dict[str, object] = {
    "general.architecture": "llama",
    "llama.context_length": 2048,
    "llama.block_count": 2,
    "llama.embedding_length": 256,
    "llama.attention.head_count": 4,
    "tokenizer.ggml.tokens": [f"t{number}" for number in range(300)],
}
TENSORS = {"token_embd.weight": ((256, 300), Q4_K), "output_norm.weight": ((256,), F32)}


def safetensors(tensors: dict[str, tuple[str, tuple[int, ...]]]) -> bytes:
    """A whole safetensors file; tensors by name with dtype and shape."""
    sizes = {"F32": 4, "F16": 2, "BF16": 2, "I32": 4, "I64": 8, "U8": 1, "I8": 1}
    header, position = {}, 0
    for name, (dtype, shape) in tensors.items():
        length = sizes[dtype]
        for side in shape:
            length *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [position, position + length]}
        position += length
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(position)


def message(*fields: tuple[int, object]) -> bytes:
    """Encode numbers and bytes as a protocol buffer."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            assert isinstance(data, bytes)
            written += varint(number << 3 | 2) + varint(len(data)) + data
    return written


def varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


ONNX_BITS = {1: 32, 2: 8, 3: 8, 7: 64, 10: 16, 22: 4}


def onnx_weight(name: str, kind: int, shape: tuple[int, ...], *fields: tuple[int, object]) -> bytes:
    """A weight of an ONNX graph, filled with zeros unless fields say where its data is."""
    data = fields or ((9, bytes(-(-math.prod(shape) * ONNX_BITS[kind] // 8))),)
    return message(*((1, side) for side in shape), (2, kind), (8, name), *data)


def onnx_node(operator: str, *inputs: str, **numbers: int) -> bytes:
    attributes = [(5, message((1, name), (3, number))) for name, number in numbers.items()]
    return message(*((1, name) for name in inputs), (4, operator), *attributes)


def onnx(weights: list[bytes], nodes: list[bytes] | None = None) -> bytes:
    """A whole ONNX file."""
    graph = message(*((1, node) for node in nodes or []), *((5, weight) for weight in weights))
    return message((1, 9), (2, "pytorch"), (7, graph), (8, message((2, 17))))
