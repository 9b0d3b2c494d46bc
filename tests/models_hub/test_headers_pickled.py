"""Tensors of checkpoints that PyTorch pickled are told and counted; nothing runs, and none can claim too much."""

import io
import os
import pickle
import random
import time
import zipfile
from collections import OrderedDict

import pytest

from models_hub.headers import pickled
from models_hub.headers.pickled import NotRead, read_pickled


class Stored:
    """What PyTorch writes for a storage: its type, its number and its length."""

    def __init__(self, kind, key, elements) -> None:
        self.told = ("storage", kind, key, "cpu", elements)


class Tensor:
    """A tensor as PyTorch pickles it: a call that makes it anew."""

    def __init__(self, *arguments, function="_rebuild_tensor_v2") -> None:
        self.function, self.arguments = function, arguments


class Writer(pickle._Pickler):  # the one in Python, since names that are not here are to be written
    def persistent_id(self, value):
        return value.told if isinstance(value, Stored) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Name):
            self.write(f"c{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Tensor):
            self.save_reduce(Name("torch._utils", value.function), value.arguments)
        else:
            super().save(value, save_persistent_id)

    def save_reduce(self, function, arguments, *rest, **named):
        if isinstance(function, Name):
            self.save(function)
            self.save(arguments)
            self.write(pickle.REDUCE)
        else:
            super().save_reduce(function, arguments, *rest, **named)


class Name:
    def __init__(self, module, name) -> None:
        self.module, self.name = module, name


def tensor(key, shape, kind="FloatStorage", offset=0):
    return Tensor(Stored(Name("torch", kind), key, 0), offset, shape, (1,), None, OrderedDict())


def checkpoint(value, storages, *, protocol=2, how=zipfile.ZIP_STORED):
    body, kept = io.BytesIO(), io.BytesIO()
    Writer(body, protocol=protocol).dump(value)
    with zipfile.ZipFile(kept, "w", how) as archive:
        archive.writestr("archive/data.pkl", body.getvalue())
        for key, size in storages.items():
            archive.writestr(f"archive/data/{key}", bytes(size))
    return kept.getvalue()


def read(data):
    return {one.name: (one.dtype, one.shape) for one in read_pickled(io.BytesIO(data), len(data))}


@pytest.mark.parametrize("protocol", [2, 4])
def test_tensors_are_told_and_what_names_share_is_there_once(protocol):
    weights = OrderedDict(
        {
            "a.weight": tensor("0", (3, 4)), "a.bias": tensor("1", (4,), "HalfStorage"), "steps": tensor("2", ()),
            "tied.weight": tensor("0", (3, 4)), "part": tensor("0", (4,), offset=4), "label": "text",
        }
    )  # fmt: skip
    found = read(checkpoint(weights, {"0": 48, "1": 8, "2": 4}, protocol=protocol))
    assert found == {"a.weight": ("F32", (3, 4)), "a.bias": ("F16", (4,)), "steps": ("F32", ())}


def test_of_a_training_the_weights_are_told_and_not_what_the_optimizer_keeps():
    parameter = Tensor(tensor("0", (2,)), None, OrderedDict(), function="_rebuild_parameter")
    state = {"epoch": 3, "optimizer": {"state": {0: tensor("1", (2,))}}, "state_dict": {"w": parameter}}
    assert read(checkpoint(state, {"0": 8, "1": 8})) == {"w": ("F32", (2,))}


def test_what_torch_saves_is_read():
    torch = pytest.importorskip("torch")
    model, kept = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)), io.BytesIO()
    torch.save({**model.state_dict(), "small": torch.zeros(5, dtype=torch.float8_e4m3fn)}, kept)
    data = kept.getvalue()
    found = read_pickled(io.BytesIO(data), len(data))
    assert {one.name: one.shape for one in found} == {
        "0.weight": (2, 3), "0.bias": (2,), "1.weight": (2,), "1.bias": (2,), "small": (5,)
    }  # fmt: skip
    assert [one.dtype for one in found] == ["F32"] * 4 + ["F8_E4M3"]


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("/tmp/should-not-be-here",))


@pytest.mark.parametrize(
    ("value", "storages"),
    [
        ({"w": tensor("0", (13,))}, {"0": 48}),
        ({"w": tensor("0", (2**47, 2**47))}, {"0": 48}),
        ({"w": tensor("0", (2**60,))}, {"0": 48}),
        ({"w": tensor("0", (1,), offset=-1)}, {"0": 48}),
        ({"w": tensor("1", (3,))}, {"0": 48}),
        ({"w": tensor("0", (3,), "OtherStorage")}, {"0": 48}),
        ({"w": "text"}, {}),
        (Hostile(), {}),
    ],
)
def test_what_cannot_be_true_is_not_told_and_nothing_runs(value, storages):
    with pytest.raises(NotRead):
        read(checkpoint(value, storages))
    assert not os.path.exists("/tmp/should-not-be-here")


def test_lengths_of_packed_members_are_not_believed():
    with pytest.raises(NotRead):
        read(checkpoint({"w": tensor("0", (1000,))}, {"0": 4000}, how=zipfile.ZIP_DEFLATED))


def test_whatever_stands_in_a_file_it_is_borne():
    whole, chance = checkpoint({"w": tensor("0", (3, 4)), "v": {"a": [1, (2, "x")]}}, {"0": 48}), random.Random(1)
    for turn in range(300):
        data = bytearray(whole if turn % 3 else whole[: chance.randrange(1, len(whole))])
        for _change in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read(bytes(data))
        except NotRead:
            continue


def test_dictionaries_that_hold_each_other_many_times_are_walked_through_once():
    inner: dict[str, object] = {"w": tensor("0", (1,))}
    for _level in range(3):
        inner = {str(number): inner for number in range(2000)}
    begun = time.process_time()
    assert len(read(checkpoint(inner, {"0": 4}))) == 1
    assert time.process_time() - begun < 20


def test_endless_programs_are_given_up():
    with pytest.raises(NotRead):
        pickled._Machine().run(b"\x80\x02)" + b"q\x00h\x00\x86" * 600_000)


@pytest.mark.django_db
def test_they_are_counted_and_shown(client, alice, make_repo):
    data = checkpoint({"a.weight": tensor("0", (30, 4)), "a.tied": tensor("0", (30, 4))}, {"0": 480})
    repo = make_repo(alice, files={"pytorch_model.bin": data, "config.json": "{}"})
    assert (repo.parameters, repo.dtypes, repo.memory_bytes) == (120, {"F32": 120}, 480)
    page = client.get("/alice/bert/blob/main/pytorch_model.bin").text
    assert "What this file imports" in page
    assert "30 × 4" in page or "30, 4" in page
