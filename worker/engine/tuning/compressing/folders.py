"""The folder of a smaller model: the files of the larger one, with new weights and the keys that changed."""

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from worker.engine.decoding import read_json_object
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel
from worker.engine.model_config import CONFIG_LIMIT
from worker.engine.tuning.exporting.kinds import kind_of
from worker.engine.tuning.exporting.published import copy_beside, write_json
from worker.engine.weights import SINGLE


def write_folder(
    source: ModelFolder, model: LoadedModel, tensors: dict[str, torch.Tensor], changes: dict[str, Any], out: Path
) -> None:
    """Write a model folder; `changes` are keys of config.json under the names that the author has for them."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    copy_beside(source, model, kind_of(source), out)
    path = source.need("config.json", code="bad_config", why="it says which architecture the weights are for")
    write_json(out / "config.json", read_json_object(path, limit=CONFIG_LIMIT, code="bad_config") | changes)
    save_file(_once_each(tensors), out / SINGLE, metadata={"format": "pt"})


def key_of(model: LoadedModel, name: str) -> str:
    """Return what config.json of this type of model calls a size: n_layer, n_layers, num_hidden_layers."""
    return str(type(model.config.config).attribute_map.get(name, name))


def _once_each(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Leave out names that are tied to another: the library ties them again, and the format forbids sharing."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    kept = {}
    for name, tensor in tensors.items():
        place = tensor.data_ptr(), tuple(tensor.shape)
        if place in seen:
            continue
        seen.add(place)
        kept[name] = tensor.contiguous()
    return kept
