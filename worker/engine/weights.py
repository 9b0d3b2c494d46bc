"""The weights of a model folder: safetensors only, every shard inside the folder, every header bounded."""

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
INDEX_LIMIT = 16 << 20
HEADER_LIMIT = 16 << 20
MAX_SHARDS = 256
MAX_TENSORS = 20_000
SHARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.safetensors")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")


def find_weights(folder: ModelFolder) -> list[Path]:
    """Return the safetensors files of a model: the single one, or what the index names."""
    if single := folder.find(SINGLE, code="weights_unreadable"):
        return [single]
    if index := folder.find(INDEX, code="weights_unreadable"):
        return _shards(folder, read_json_object(index, limit=INDEX_LIMIT, code="weights_unreadable"))
    if pickles := [name for name in folder.names() if name.endswith(PICKLES)]:
        raise EngineError(
            "unsafe_weights",
            f"The weights are only there in a format that can run code when it is loaded ({', '.join(pickles[:5])}), "
            "so they are not loaded. Save them with save_pretrained(), which writes model.safetensors.",
        )
    raise EngineError("missing_weights", f"{SINGLE} is missing; save_pretrained() writes it beside config.json")


def read_tensors(files: list[Path]) -> dict[str, torch.Tensor]:
    """Read every tensor of the files; only float tensors and the integer buffers of old checkpoints are taken."""
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        _check_header(path)
        with (
            failing_as("weights_unreadable", f"{path.name} cannot be read as safetensors."),
            safe_open(path, framework="pt", device="cpu") as file,
        ):
            for name in file.keys():  # noqa: SIM118  (a safetensors handle is no mapping)
                if name in tensors:
                    raise EngineError("weights_unreadable", f"tensor {name[:100]!r} is in two files")
                tensors[name] = file.get_tensor(name)
    for name, tensor in tensors.items():
        if tensor.dtype in (torch.int8, torch.uint8) or (tensor.is_floating_point() and tensor.element_size() < 2):
            raise EngineError(
                "weights_unreadable",
                f"tensor {name[:100]!r} is stored as {str(tensor.dtype).removeprefix('torch.')}; quantised weights "
                "cannot be evaluated here, save them as float32, bfloat16 or float16.",
            )
    return tensors


def _shards(folder: ModelFolder, index: dict[str, Any]) -> list[Path]:
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map or len(weight_map) > MAX_TENSORS:
        raise EngineError("weights_unreadable", f'{INDEX} must have a "weight_map" of 1 to {MAX_TENSORS} tensors')
    for name in weight_map.values():
        if not isinstance(name, str) or not SHARD_NAME.fullmatch(name):
            raise EngineError(
                "weights_unreadable",
                f"{INDEX} names {str(name)[:80]!r}; a shard must be a .safetensors file in the model folder itself.",
            )
    shards = sorted(set(weight_map.values()))
    if len(shards) > MAX_SHARDS:
        raise EngineError("weights_unreadable", f"{INDEX} names more than {MAX_SHARDS} files")
    return [folder.need(name, code="missing_weights", why=f"{INDEX} names it as a shard") for name in shards]


def _check_header(path: Path) -> None:
    """Look at a header before the library does: it would allocate for whatever number of tensors the file claims."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= HEADER_LIMIT:
            raise EngineError("weights_unreadable", f"{path.name} is not a safetensors file, or its header is too long")
        raw = file.read(length)
    try:
        # The format demands "{" as first byte; the library also takes white space before it.
        header = json.loads(raw) if raw.startswith(b"{") else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise EngineError("weights_unreadable", f"{path.name} is not a safetensors file: its header is not JSON")
    if len(header) > MAX_TENSORS:
        raise EngineError("weights_unreadable", f"{path.name} claims more than {MAX_TENSORS} tensors")
