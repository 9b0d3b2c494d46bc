"""Tensors as a tree and a list, of safetensors, shards, GGUF and ONNX; what pickles import; pictures and sound."""

import base64
import io
import json
import os
import pickle
import struct
import zipfile

import pytest

from models_hub.markup import pickles
from models_hub.viewers import media, tensors
from models_hub.viewers.tensors import Row
from tests.models_hub.headers import message


def safetensors(names: dict[str, list[int]], **metadata: str) -> bytes:
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    position = 0
    for name, shape in names.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [position, position + size]}
        position += size
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(position)


def layers(count: int) -> dict[str, list[int]]:
    return {f"model.layers.{n}.{part}.weight": [2, 2] for n in range(count) for part in ("q", "k", "v")}


def rows(names: dict[str, list[int]]) -> list[Row]:
    return [Row(name, "F32", tuple(shape), 4, 16) for name, shape in names.items()]


def test_a_tree_sums_its_parts_and_sorts_layers_by_number():
    root = tensors.tree(rows({**layers(12), "head": [4]}))
    model = next(node for node in root.children if node.label == "model.layers")
    assert [node.label for node in model.children[:3]] == ["0", "1", "2"]
    assert model.children[10].label == "10"
    assert (model.count, model.elements) == (36, 144)


def test_a_part_of_the_tree_is_asked_for_by_its_path():
    shown = tensors.view(rows(layers(200)), {"at": "model.layers.7"})
    assert [node.label for node in shown["nodes"]] == ["k.weight", "q.weight", "v.weight"]
    assert [node.label for node in tensors.view(rows({"a.b.c.d": [1], "a.b.c.e": [1]}), {"at": "a"})["nodes"]] == [
        "b.c"
    ]
    assert tensors.view(rows(layers(2)), {"at": "none"})["nodes"] == []


def test_a_large_tree_is_on_the_page_in_part():
    shown = tensors.view(rows(layers(10_000)), {})

    def there(nodes: list[tensors.Node]) -> int:
        return len(nodes) + sum(there(node.children) for node in nodes if node.is_there)

    assert there(shown["nodes"]) <= tensors.ROWS_AT_ONCE
    assert shown["count"] == 30_000


def test_tensors_are_searched_by_name_type_and_shape_page_by_page():
    shown = tensors.view(rows(layers(300)), {"q": "q 2x2", "from": "200"})
    assert (shown["found"], shown["first"], shown["last"], shown["next"], shown["previous"]) == (300, 201, 300, None, 0)


def test_a_name_of_many_dots_is_no_recursion():
    root = tensors.tree(rows({".".join("abcde" * 90): [1], "a.x": [1]}))
    assert root.count == 2


def test_a_file_of_weights_has_its_tree_and_what_its_author_wrote(client, alice, make_repo):
    make_repo(alice, files={"model.safetensors": safetensors(layers(2), note="<b>你好")})
    page = client.get("/alice/bert/blob/main/model.safetensors").text
    for piece in ("model.layers", "&lt;b&gt;你好", "[2, 2]", "F32"):
        assert piece in page
    assert "No tensor fits" in client.get("/alice/bert/blob/main/model.safetensors?q=none").text
    assert "tensor-table" in client.get("/alice/bert/blob/main/model.safetensors?view=list").text


def test_hostile_tensor_names_are_escaped_and_quoted(client, alice, make_repo):
    names = {'a"><script>alert(1)</script>.b': [1], 'a"><script>alert(1)</script>.c': [1], "x y.&q=1#.w": [1]}
    make_repo(alice, files={"model.safetensors": safetensors(names)})
    for question in ("", "?view=list", "?q=<script>", '?at=a"><script>alert(1)</script>'):
        assert "<script>alert" not in client.get(f"/alice/bert/blob/main/model.safetensors{question}").text


def test_shards_are_shown_as_one(client, alice, make_repo):
    index = {
        "metadata": {"total_size": 1},
        "weight_map": {"a.w": "one.safetensors", "b.w": "two.safetensors", "c": "../x"},
    }
    make_repo(alice, files={
        "m/model.safetensors.index.json": json.dumps(index), "m/one.safetensors": safetensors({"a.w": [3]}),
        "m/two.safetensors": safetensors({"b.w": [5]}),
    })  # fmt: skip
    page = client.get("/alice/bert/blob/main/m/model.safetensors.index.json").text
    assert "[3]" in page
    assert "[5]" in page
    assert "which is not here" in page
    assert "one.safetensors" in client.get("/alice/bert/blob/main/m/model.safetensors.index.json?view=list").text
    assert 'id="L1"' in client.get("/alice/bert/blob/main/m/model.safetensors.index.json?source").text


@pytest.mark.parametrize("content", ["[]", '{"weight_map": 1}', '{"weight_map": {"a": {}}}', "{"])
def test_an_index_that_is_none_is_shown_as_text(client, alice, make_repo, content):
    make_repo(alice, files={"model.safetensors.index.json": content})
    assert client.get("/alice/bert/blob/main/model.safetensors.index.json").status_code == 200


def gguf() -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    words = struct.pack("<IQ", 8, 30) + b"".join(text(f"w{n}") for n in range(30))
    fields = text("general.architecture") + struct.pack("<I", 8) + text("llama<b>")
    fields += text("tokenizer.ggml.tokens") + struct.pack("<I", 9) + words
    tensor = text("blk.0.w") + struct.pack("<IQQIQ", 2, 64, 2, 2, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + fields + tensor
    return head + bytes(-len(head) % 32) + bytes(18 * 4)


def test_a_gguf_file_shows_metadata_and_tensors(client, alice, make_repo):
    make_repo(alice, files={"m.gguf": gguf(), "cut.gguf": gguf()[:50]})
    page = client.get("/alice/bert/blob/main/m.gguf").text
    for piece in ("llama&lt;b&gt;", "and 10 more", "Q4_0", "[2, 64]", "4.50"):
        assert piece in page
    assert "not a valid GGUF file" in client.get("/alice/bert/blob/main/cut.gguf").text


def onnx() -> bytes:
    shape = message((1, message((2, "batch"))), (1, message((1, 128))))
    port = message((1, "input_ids"), (2, message((1, message((1, 7), (2, shape))))))
    weight = message((1, 3), (1, 4), (2, 1), (8, "enc.w"), (9, bytes(48)))
    graph = message((1, message((4, "MatMul"))), (1, message((4, "MatMul"))), (5, weight), (11, port), (12, port))
    return message((1, 9), (2, "pytorch<b>"), (7, graph), (8, message((2, 17))))


def test_an_onnx_file_shows_ports_operators_and_weights(client, alice, make_repo):
    make_repo(alice, files={"m.onnx": onnx()})
    page = client.get("/alice/bert/blob/main/m.onnx").text
    for piece in ("pytorch&lt;b&gt;", "ai.onnx 17", "input_ids", "[batch, 128]", "INT64", "MatMul", "enc.w", "[3, 4]"):
        assert piece in page


@pytest.mark.parametrize(
    "content", [b"\x00\x01", b"\x3a\xff\xff\xff\xff\x0f", onnx()[:40], b"\x80" * 50, b"\x3a\x00" * 9]
)
def test_a_broken_onnx_file_is_borne(client, alice, make_repo, content):
    make_repo(alice, files={"m.onnx": content})
    assert client.get("/alice/bert/blob/main/m.onnx").status_code == 200


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, ("touch /tmp/should-not-be-here",))


def found(data: bytes) -> dict[str, str]:
    made = json.loads(pickles.pickle_to_json(base64.b64encode(data).decode()))
    return {row["name"]: row["level"] for row in made["imports"]}


@pytest.mark.parametrize("protocol", range(6))
def test_imports_of_a_pickle_are_named_and_nothing_runs(protocol, tmp_path):
    levels = found(pickle.dumps(Hostile(), protocol=protocol))
    assert "dangerous" in levels.values()
    assert any(name.endswith(".system") for name in levels)


@pytest.mark.parametrize(
    ("data", "name", "level"),
    [
        (b"cbuiltins\neval\n.", "builtins.eval", "dangerous"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n.", "torch._utils._rebuild_tensor_v2", "usual"),
        (b"cmypackage\nThing\n.", "mypackage.Thing", "unusual"),
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.", "os.system", "dangerous"),
        (b"\x80\x04K\x01K\x02\x93.", "?.?", "dangerous"),
        (b"N.cos\nsystem\n.", "os.system", "dangerous"),
    ],
)
def test_names_are_found_in_every_form(data, name, level):
    assert found(data)[name] == level


def torch_file(data: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/data/0", bytes(64))
    return kept.getvalue()


def test_the_page_of_a_pickle_says_what_it_imports(client, alice, make_repo):
    make_repo(alice, files={
        "bad.pt": torch_file(b"cos\nsystem\n."), "good.pt": torch_file(b"ccollections\nOrderedDict\n."),
        "none.bin": b"\x80\x04\x00", "zip.bin": b"PK\x03\x04" + bytes(40),
    })  # fmt: skip
    page = client.get("/alice/bert/blob/main/bad.pt").text
    assert "os.system" in page
    assert "can run commands" in page
    assert "alert-danger" not in client.get("/alice/bert/blob/main/good.pt").text
    assert "binary file" in client.get("/alice/bert/blob/main/none.bin").text
    assert client.get("/alice/bert/blob/main/zip.bin").status_code == 200


@pytest.mark.parametrize(
    ("head", "sides"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 30, 20), (30, 20)),
        (b"GIF89a" + struct.pack("<HH", 3, 4), (3, 4)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 5, 6) + bytes(9), (6, 5)),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X" + bytes(8) + b"\x09\x00\x00\x07\x00\x00", (10, 8)),
        (b"BM" + bytes(16) + struct.pack("<ii", 7, -8), (7, 8)),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff\xff\x00\x00\x00\x01", None),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 9, None),
        (b"", None),
    ],
)
def test_the_sides_of_a_picture_are_read_from_its_head(head, sides):
    assert media.dimensions(head) == sides


@pytest.mark.parametrize(
    ("name", "piece", "kind"),
    [("a.svg", "<img src=", "image/svg+xml"), ("a.wav", "<audio", "audio/wav"), ("a.mp4", "<video", "video/mp4"),
     ("a.pdf", "A PDF document", "application/pdf")],
)  # fmt: skip
def test_media_are_shown_from_the_address_of_their_bytes(client, alice, make_repo, name, piece, kind):
    make_repo(alice, files={name: "<svg onload=alert(1)>"})
    page = client.get(f"/alice/bert/blob/main/{name}").text
    assert piece in page
    assert "onload" not in page
    response = client.get(f"/alice/bert/resolve/main/{name}", HTTP_RANGE="bytes=0-3")
    assert (response.status_code, response["Content-Type"]) == (206, kind)
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Disposition"].startswith("attachment" if name in {"a.svg", "a.pdf"} else "inline")


def test_a_pickle_that_cannot_be_read_is_warned_of(client, alice, make_repo):
    make_repo(alice, "bert", files={"model.pt": b"PK\x03\x04" + b"\x00damaged" * 20})
    assert "Not all of the file could be read" in client.get("/alice/bert/blob/main/model.pt").text
