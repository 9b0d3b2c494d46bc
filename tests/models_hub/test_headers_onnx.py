"""Parameters of ONNX files are counted by their graphs, and one that lies counts nothing and costs little."""

import io
import random
import time

import pytest

from models_hub.headers import summaries
from models_hub.headers.onnx import Broken, Graph, TooLong
from tests.models_hub.headers import message, onnx, onnx_node, onnx_weight, varint

FLOAT, UINT8, INT8, INT64, HALF, INT4 = 1, 2, 3, 7, 10, 22


def read(data: bytes):
    graph = Graph(io.BytesIO(data), len(data))
    graph.read()
    return graph


def summary(weights, nodes=None):
    return summaries.of_onnx(read(onnx(weights, nodes)))


def test_weights_are_counted_and_constants_of_the_graph_are_not():
    found = summary(
        [
            onnx_weight("embed_tokens.weight", FLOAT, (300, 8)),
            onnx_weight("onnx::MatMul_9", FLOAT, (8, 300)),
            onnx_weight("bias", HALF, (8,)),
            onnx_weight("shape", INT64, (2,)),
            onnx_weight("words", 8, (3,), (6, "a"), (6, "b"), (6, "c")),
            onnx_weight("epsilon", FLOAT, ()),
            onnx_weight("model.cos_cache", FLOAT, (64, 4)),
        ]
    )
    assert found["plain"] == {"F32": 4800, "F16": 8}
    assert (found["tensors"], found["tieable"]) == (7, [[8, 300], [8, 300]])


def test_of_quantized_weights_scales_and_zero_points_are_not_counted():
    weights = [
        onnx_weight("w_quantized", UINT8, (8, 4)),
        onnx_weight("w_scale", FLOAT, (4,)),
        onnx_weight("w_zero_point", UINT8, (4,)),
        onnx_weight("table", INT8, (6, 4)),
        onnx_weight("step", FLOAT, (1,)),
        onnx_weight("packed", UINT8, (4, 1, 16)),
        onnx_weight("steps", FLOAT, (4,)),
        onnx_weight("nibbles", INT4, (3, 3)),
    ]
    nodes = [
        onnx_node("MatMulInteger", "x", "w_quantized", "x_zero_point", "w_zero_point"),
        onnx_node("DequantizeLinear", "table", "step"),
        onnx_node("MatMulNBits", "x", "packed", "steps", K=30, N=4, bits=4),
    ]
    assert summary(weights, nodes)["plain"] == {"U8": 32, "I8": 24, "U4": 120, "I4": 9}


def constant(name, shape, kind=FLOAT):
    return message((2, name), (4, "Constant"), (5, message((1, "value"), (5, onnx_weight("", kind, shape)))))


def branch(weights, nodes=()):
    return message(*((1, node) for node in nodes), *((5, weight) for weight in weights), (11, message((1, "x"))))


def test_weights_in_constants_and_in_graphs_within_the_graph_are_counted():
    then = branch([onnx_weight("shared", FLOAT, (5, 5)), onnx_weight("own", FLOAT, (2, 2))])
    other = branch([onnx_weight("shared", FLOAT, (5, 5))], [constant("deep", (3, 3)), constant("shape", (2,), INT64)])
    attributes = [
        (5, message((1, name), (6, graph))) for name, graph in (("then_branch", then), ("else_branch", other))
    ]
    graph = read(onnx([onnx_weight("top", FLOAT, (4, 4))], [message((4, "If"), *attributes), constant("c", (10,))]))
    assert summaries.of_onnx(graph)["plain"] == {"F32": 16 + 25 + 4 + 9 + 10}
    assert (graph.operators, graph.inputs) == ({"If": 1, "Constant": 3}, [])
    inside = onnx([]) + message((25, message((1, "f"), (7, constant("w", (6, 6))))))
    assert summaries.of_onnx(read(inside))["plain"] == {"F32": 36}


def test_graphs_within_graphs_without_end_are_given_up():
    inner = b""
    for _level in range(5000):
        inner = message((1, message((4, "If"), (5, message((6, inner))))))
    with pytest.raises(TooLong):
        read(message((7, inner)))


def test_weights_in_another_file_are_counted_by_their_shapes():
    place = [(13, message((1, key), (2, value))) for key, value in (("location", "w.bin"), ("offset", "64"))]
    found = summary([onnx_weight("w", FLOAT, (10, 10), *place, (14, 1))])
    assert (found["plain"], found["elsewhere"]) == ({"F32": 100}, {"w.bin": 464})


@pytest.mark.parametrize(
    "data",
    [
        (9, bytes(39)),  # a byte short of ten numbers
        (4, bytes(9)),
        (13, message((1, "location"), (2, "w.bin")) + message((1, "length"), (2, "9"))),
        (13, message((1, "offset"), (2, "-1"))),
        (14, 1),
    ],
)
def test_a_weight_larger_than_its_data_counts_nothing(data):
    assert summary([onnx_weight("w", FLOAT, (10,), data)]) is None


@pytest.mark.parametrize("shape", [(2**62, 2**62), (2**40, 2**40), (2**63,)])
def test_a_shape_beyond_all_files_counts_nothing(shape):
    place = (13, message((1, "location"), (2, "w.bin")))
    assert summary([onnx_weight("w", FLOAT, shape, place)]) is None


def test_whatever_stands_in_a_file_it_is_borne():
    whole = onnx([onnx_weight("w", FLOAT, (4, 4))], [onnx_node("MatMulNBits", "x", "w", K=1)])
    chance = random.Random(4)
    for _turn in range(300):
        data = bytearray(whole[: chance.randrange(1, len(whole) + 1)])
        for _change in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            summaries.of_onnx(read(bytes(data)))
        except (Broken, TooLong):
            continue


def test_many_fields_are_given_up_soon():
    body = message((5, message((1, 1)))) * 200_000
    begun = time.thread_time()
    with pytest.raises(TooLong):
        read(varint(7 << 3 | 2) + varint(len(body)) + body)
    assert time.thread_time() - begun < 5
