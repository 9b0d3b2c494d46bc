"""Pickles to safetensors: every tensor as it was, and nothing that is more than a tensor."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.engine.tuning.exported import made
from worker.engine.contracts import EngineError

pytestmark = pytest.mark.engine


class Command:
    """What a hostile pickle runs when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def save(folder: Path, value: object, name: str = "pytorch_model.bin", **options: object) -> Path:
    import torch

    folder.mkdir(exist_ok=True)
    torch.save(value, folder / name, **options)
    return folder


def test_every_tensor_comes_out_as_it_was(tmp_path):
    import torch
    from safetensors.torch import load_file

    tensors = {
        "a": torch.randn(3, 4), "b": torch.randn(4, 3).T, "c": torch.tensor([float("nan"), 1.0]).half(),
        "d": torch.arange(5), "e": torch.randn(6, 2).bfloat16(),
    }  # fmt: skip
    manifest = made(save(tmp_path / "model", tensors), tmp_path / "out", format="safetensors")
    read = load_file(tmp_path / "out" / "model" / "model.safetensors")
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in read.items()} == {
        name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()
    }
    assert torch.equal(read["b"], tensors["b"])
    assert manifest["tensors"] == 5


def test_tied_weights_are_written_under_both_names(tmp_path):
    import torch

    weight = torch.randn(4, 4)
    manifest = made(save(tmp_path / "model", {"in": weight, "out": weight}), tmp_path / "out", format="safetensors")
    assert manifest["copied"] == ["out"]
    assert manifest["parameters"] == 32


def test_a_pickle_that_runs_a_command_runs_nothing(tmp_path):
    trap = tmp_path / "trap"
    model = save(tmp_path / "model", {"a": Command(trap)})
    with pytest.raises(EngineError) as caught:
        made(model, tmp_path / "out", format="safetensors")
    assert caught.value.code == "unsafe_weights"
    assert not trap.exists()


@pytest.mark.parametrize("value", [{"a": 1.0}, {"a": {"b": 2}}, ["a"], {}, {3: None}])
def test_what_is_no_table_of_tensors_is_refused(tmp_path, value):
    with pytest.raises(EngineError, match=r"no tensor|no table|proper name"):
        made(save(tmp_path / "model", value), tmp_path / "out", format="safetensors")


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    import torch

    huge = torch.zeros(1).expand(1 << 40)
    with pytest.raises(EngineError, match="claim"):
        made(save(tmp_path / "model", {"a": huge}), tmp_path / "out", format="safetensors")


def test_a_compressed_archive_is_refused(tmp_path):
    import torch

    model = save(tmp_path / "model", {"a": torch.zeros(10)})
    path = model / "pytorch_model.bin"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(EngineError, match="compressed"):
        made(model, tmp_path / "out", format="safetensors")


def test_shards_become_one_file(tmp_path):
    import torch

    names = [f"pytorch_model-0000{part}-of-00002.bin" for part in (1, 2)]
    for name, key in zip(names, "ab", strict=True):
        save(tmp_path / "model", {key: torch.ones(2)}, name)
    index = {"weight_map": dict(zip("ab", names, strict=True))}
    (tmp_path / "model" / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert made(tmp_path / "model", tmp_path / "out", format="safetensors")["tensors"] == 2


def test_an_index_cannot_name_files_elsewhere(tmp_path):
    (tmp_path / "pytorch_model.bin.index.json").write_text(
        json.dumps({"weight_map": {"a": "../pytorch_model-00001-of-00001.bin"}}), encoding="utf-8"
    )
    with pytest.raises(EngineError, match="must name"):
        made(tmp_path, tmp_path / "out", format="safetensors")


def test_files_of_an_older_torch_are_read_too(tmp_path):
    import torch

    model = save(tmp_path / "model", {"a": torch.ones(3)}, _use_new_zipfile_serialization=False)
    assert made(model, tmp_path / "out", format="safetensors")["parameters"] == 3


def test_a_model_that_has_safetensors_is_left_alone(bert_folder, tmp_path):
    with pytest.raises(EngineError, match="already"):
        made(bert_folder, tmp_path, format="safetensors")
