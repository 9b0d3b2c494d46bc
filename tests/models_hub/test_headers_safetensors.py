"""Parameters of safetensors are counted as the model has them, however they are packed."""

import io
import json
import random
import struct

from models_hub.checking import FileRefused
from models_hub.headers import summaries
from models_hub.headers.safetensors import read_safetensors_header
from tests.models_hub.headers import safetensors


def summary(tensors):
    data = safetensors(tensors)
    return summaries.of_safetensors(read_safetensors_header(io.BytesIO(data), len(data), "x.safetensors"))


def test_plain_tensors_are_counted_by_dtype():
    found = summary({"a.weight": ("F32", (3, 4)), "b.weight": ("F16", (5,))})
    assert found["plain"] == {"F32": 12, "F16": 5}
    assert found["bytes"] == 58


def test_gptq_weights_are_words_and_their_scales_are_no_parameters():
    found = summary(
        {
            "q.qweight": ("I32", (8, 16)),
            "q.qzeros": ("I32", (1, 2)),
            "q.scales": ("F16", (1, 16)),
            "q.g_idx": ("I32", (64,)),
            "norm.weight": ("F16", (16,)),
        }
    )
    assert found["packed32"] == 128
    assert found["plain"] == {"F16": 16}


def test_bitsandbytes_packs_two_parameters_into_a_byte():
    found = summary(
        {
            "q.weight": ("U8", (32, 1)),
            "q.weight.absmax": ("F32", (1,)),
            "q.weight.quant_map": ("F32", (16,)),
            "q.weight.quant_state.bitsandbytes__nf4": ("U8", (10,)),
        }
    )
    assert found["packed4"] == 32
    assert found["plain"] == {}


def test_scales_of_a_model_of_its_own_are_parameters():
    assert summary({"layer.scales": ("F32", (4,))})["plain"] == {"F32": 4}


def test_position_ids_are_no_parameters():
    assert summary({"embeddings.position_ids": ("I64", (1, 512)), "a.weight": ("F32", (2,))})["plain"] == {"F32": 2}


def test_any_broken_header_is_read_or_refused_and_nothing_else():
    chance, data = random.Random(5), safetensors({"a.weight": ("F32", (3, 4)), "b": ("F16", (2,))})
    odd = (0, -1, 2**64, "x", None, [], {}, [2**63], [0, 0], 1.5)
    for _attempt in range(2000):
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + length])
        header[chance.choice(("a.weight", "b"))][chance.choice(("dtype", "shape", "data_offsets"))] = chance.choice(odd)
        raw = json.dumps(header).encode()
        broken = bytearray(struct.pack("<Q", len(raw)) + raw + data[8 + length :])
        if chance.random() < 0.5:
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            read_safetensors_header(io.BytesIO(bytes(broken)), len(broken), "x.safetensors")
        except FileRefused:
            continue
