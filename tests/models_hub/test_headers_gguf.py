"""GGUF headers are read in both byte orders, and one that lies is refused before it costs anything."""

import io
import random
import struct

import pytest

from models_hub.checking import FileRefused
from models_hub.headers import summaries
from models_hub.headers.gguf import KEPT_ITEMS, Many, read_gguf_header
from tests.models_hub.headers import F32, LLAMA, Q4_0, TENSORS, gguf, gguf_in, gguf_text

FILE = gguf(LLAMA, TENSORS)


def read(data: bytes):
    return read_gguf_header(io.BytesIO(data), len(data), "x.gguf")


def test_metadata_and_tensors_are_read():
    header = read(FILE)
    assert header.text("general.architecture") == "llama"
    assert header.number("llama.context_length") == 2048
    assert [(one.name, one.dtype, one.shape) for one in header.tensors] == [
        ("token_embd.weight", "Q4_K", (256, 300)),
        ("output_norm.weight", "F32", (256,)),
    ]


def test_a_long_list_is_counted_and_not_kept():
    tokens = read(FILE).metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, Many)
    assert tokens.count == 300
    assert len(tokens.items) == KEPT_ITEMS


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_versions_are_read_in_both_byte_orders(version, order):
    header = read(gguf_in(order, LLAMA, TENSORS, version))
    assert (header.version, header.is_big_endian, len(header.tensors)) == (version, order == ">", 2)


def test_quantized_tensors_are_counted_by_their_elements():
    found = summaries.of_gguf(read(FILE))
    assert found["plain"] == {"Q4_K": 256 * 300, "F32": 256}
    assert found["bytes"] == 300 * 144 + 256 * 4
    assert (found["context_length"], found["vocabulary"], found["layers"], found["heads"]) == (2048, 300, 2, 4)


@pytest.mark.parametrize("length", [*range(0, 60, 3), len(FILE) // 3, len(FILE) - 33])
def test_a_file_that_was_cut_is_refused(length):
    with pytest.raises(FileRefused):
        read(FILE[:length])


def head(tensors: int, fields: int, rest: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, fields) + rest


HUGE = 2**63
LYING = {
    "another format": b"GGML" + FILE[4:],
    "the version of another age": head(0, 0, version=1),
    "a version to come": head(0, 0, version=4),
    "more tensors than could be": head(HUGE, 0),
    "more fields than could be": head(0, HUGE),
    "a name longer than the file": head(0, 1, struct.pack("<Q", HUGE)),
    "an empty name": head(0, 1, gguf_text("")),
    "a name with a line break": head(0, 1, gguf_text("a\nb") + struct.pack("<II", 4, 1)),
    "a text longer than the file": head(0, 1, gguf_text("a") + struct.pack("<IQ", 8, HUGE)),
    "a list longer than the file": head(0, 1, gguf_text("a") + struct.pack("<IIQ", 9, 0, HUGE)),
    "a list of texts longer than the file": head(0, 1, gguf_text("a") + struct.pack("<IIQ", 9, 8, HUGE)),
    "a list of lists": head(0, 1, gguf_text("a") + struct.pack("<IIQ", 9, 9, 1) + bytes(64)),
    "a field of an unknown type": head(0, 1, gguf_text("a") + struct.pack("<I", 99)),
    "a field twice": head(0, 2, (gguf_text("a") + struct.pack("<II", 4, 1)) * 2),
    "an alignment of zero": gguf({"general.alignment": 0}, {}),
    "an alignment that is no power of two": gguf({"general.alignment": 33}, {}),
    "an alignment that is a text": gguf({"general.alignment": "32"}, {}),
    "a tensor of too many sides": head(1, 0, gguf_text("a") + struct.pack("<I", 2**31) + bytes(64)),
    "a tensor of an unknown type": head(1, 0, gguf_text("a") + struct.pack("<IQIQ", 1, 1, 4, 0)),
    "a tensor larger than any file": head(1, 0, gguf_text("a") + struct.pack("<IQQIQ", 2, HUGE, HUGE, 0, 0)),
    "a tensor beyond the end": head(1, 0, gguf_text("a") + struct.pack("<IQIQ", 1, 1, 0, 2**40)),
    "a tensor that does not fit its blocks": gguf({}, {"a": ((33,), Q4_0)}),
    "two tensors in one place": head(
        2, 0, gguf_text("a") + struct.pack("<IQIQ", 1, 8, 0, 0) + gguf_text("b") + struct.pack("<IQIQ", 1, 8, 0, 0)
    )
    + bytes(128),
}


@pytest.mark.parametrize("data", LYING.values(), ids=list(LYING))
def test_a_header_that_lies_is_refused(data):
    with pytest.raises(FileRefused):
        read(data)


def test_any_broken_header_is_read_or_refused_and_nothing_else():
    chance = random.Random(4)
    for _attempt in range(3000):
        data = bytearray(FILE[: chance.randint(8, len(FILE))] if chance.random() < 0.3 else FILE)
        for _change in range(chance.randint(1, 6)):
            data[chance.randrange(min(len(data), 9000))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        try:
            summaries.of_gguf(read(bytes(data)))
        except FileRefused:
            continue


def test_no_more_is_read_than_the_header():
    class Counted(io.BytesIO):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.given += len(data)
            return data

    data = gguf(LLAMA, {"a": ((1024, 1024), F32)})
    file = Counted(data)
    read_gguf_header(file, len(data), "x.gguf")
    assert file.given <= 256 * 1024
