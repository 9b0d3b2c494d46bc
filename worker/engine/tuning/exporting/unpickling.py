"""pytorch_model.bin to model.safetensors. A pickle is a program: this runs in a sandbox alone, and takes tensors alone.

torch's own restricted reader is what reads it; what it would have to run code for is refused by it, and what is no
plain tensor by us.
"""

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.progress import Progress
from worker.engine.provenance import versions
from worker.engine.tuning.contracts import MODEL_DIR
from worker.engine.tuning.exporting.contracts import ExportSpec
from worker.engine.tuning.exporting.published import facts_of
from worker.engine.weights import INDEX, INDEX_LIMIT, MAX_SHARDS, MAX_TENSORS, SINGLE, read_tensors

PICKLE, PICKLE_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
SHARD = re.compile(r"pytorch_model-[0-9]{5}-of-[0-9]{5}\.bin")
MAX_BYTES = 16 << 30
# Tied weights are written once for each of their names. Beyond that a tensor says that it is larger than it is.
MAX_GROWTH, SPARE_BYTES = 3, 1 << 20
MAX_PROGRAM = 64 << 20
MAX_NAME = 512
# What an evaluation reads of safetensors files; fewer bits are a quantised model, which needs more than its tensors.
PLAIN = frozenset((torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.bool))


def export_safetensors(spec: ExportSpec, progress: Progress) -> dict[str, Any]:
    """Write model/model.safetensors with every tensor of the pickles, read it again, and return what it holds."""
    progress.report(0.0, "reading the pickle", always=True)
    files = _pickles(ModelFolder(spec.model_dir))
    read = sum(path.stat().st_size for path in files)
    if read > MAX_BYTES:
        raise _refused(f"its {read} bytes are more than the {MAX_BYTES} that are converted here")
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        for name, tensor in _tensors(path).items():
            if name in tensors:
                raise _refused(f"the tensor {name[:100]!r} is in two files")
            tensors[name] = tensor
    _check_growth(tensors, read)
    copied = _without_sharing(tensors)
    out = Path(spec.out_dir, MODEL_DIR)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    progress.report(0.5, "writing model.safetensors", always=True)
    save_file(tensors, out / SINGLE, metadata={"format": "pt"})
    progress.report(0.8, "comparing", always=True)
    _compare(tensors, read_tensors([out / SINGLE]))
    progress.report(1.0, "done", always=True)
    return {
        "format": "safetensors",
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "dtypes": sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()}),
        "copied": copied,  # names that shared their numbers with another
        "read": [{"name": path.name, **facts_of(path)} for path in files],
        "versions": versions(),
        "files": {SINGLE: facts_of(out / SINGLE)},
        "refused": {},
        "notes": [],
    }


def _pickles(folder: ModelFolder) -> list[Path]:
    if folder.find(SINGLE, code="weights_unreadable") or folder.find(INDEX, code="weights_unreadable"):
        raise EngineError("bad_spec", f"The model has its weights as {SINGLE} already.")
    if path := folder.find(PICKLE, code="weights_unreadable"):
        return [path]
    index = folder.need(PICKLE_INDEX, code="missing_weights", why=f"the weights are looked for there or in {PICKLE}")
    names = read_json_object(index, limit=INDEX_LIMIT, code="weights_unreadable").get("weight_map")
    shards = sorted({str(name) for name in names.values()}) if isinstance(names, dict) else []
    if not 1 <= len(shards) <= MAX_SHARDS or not all(SHARD.fullmatch(name) for name in shards):
        raise EngineError(
            "weights_unreadable",
            f"{PICKLE_INDEX} must name 1 to {MAX_SHARDS} files as save_pretrained() calls them",
        )
    return [folder.need(name, code="missing_weights", why=f"{PICKLE_INDEX} names it") for name in shards]


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    is_archive = zipfile.is_zipfile(path)
    if is_archive:
        _check_archive(path)
    with failing_as(
        "unsafe_weights",
        f"{path.name} holds more than tensors, or is no file of torch: it was not loaded. Save the state_dict of the "
        "model alone.",
    ):
        # Files from before 2020 are no archives, and cannot be mapped.
        found: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    if not isinstance(found, dict) or not 1 <= len(found) <= MAX_TENSORS:
        raise _refused(f"{path.name} is no table of 1 to {MAX_TENSORS} tensors")
    for name, tensor in found.items():
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise _refused(f"{path.name} has a tensor without a proper name")
        if not isinstance(tensor, torch.Tensor):
            raise _refused(f"{path.name} holds {type(tensor).__name__} as {name[:100]!r}, which is no tensor")
        if tensor.layout != torch.strided or tensor.dtype not in PLAIN or tensor.device.type != "cpu":
            raise _refused(f"the tensor {name[:100]!r} is {tensor.dtype} in {tensor.layout}, no plain table of numbers")
    return {name: tensor.detach() for name, tensor in found.items()}


def _check_archive(path: Path) -> None:
    """Look at the archive before torch does: its parts must lie in the file as they are."""
    with failing_as("unsafe_weights", f"{path.name} is a damaged archive."), zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if len(parts) > MAX_TENSORS + 64:
        raise _refused(f"{path.name} has {len(parts)} parts")
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise _refused(f"{path.name} is compressed, which torch never does")
    if any(part.file_size > MAX_PROGRAM for part in parts if part.filename.endswith(".pkl")):
        raise _refused(f"the program in {path.name} is longer than {MAX_PROGRAM} bytes")


def _check_growth(tensors: dict[str, torch.Tensor], read: int) -> None:
    said = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if said > MAX_GROWTH * read + SPARE_BYTES:
        raise _refused(f"its tensors claim {said} bytes, and the files have {read}")


def _without_sharing(tensors: dict[str, torch.Tensor]) -> list[str]:
    """Give each tensor numbers of its own, and return the names of those that shared them."""
    seen: set[int] = set()
    copied = []
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        if place in seen and tensor.numel():
            copied.append(name)
            tensors[name] = tensor.clone(memory_format=torch.contiguous_format)
        elif tensor.numel():
            seen.add(place)
            # A part of a larger block would take the whole block along.
            tensors[name] = tensor.contiguous()
    return copied


def _compare(tensors: dict[str, torch.Tensor], written: dict[str, torch.Tensor]) -> None:
    if set(tensors) != set(written):
        raise EngineError("export_failed", "model.safetensors does not hold the same tensors")
    for name, tensor in tensors.items():
        other = written[name]
        if tensor.dtype != other.dtype or tensor.shape != other.shape or not _same_bytes(tensor, other):
            raise EngineError("export_failed", f"model.safetensors holds other numbers as {name[:100]!r}")


def _same_bytes(tensor: torch.Tensor, other: torch.Tensor) -> bool:
    """Compare bytes: what is not a number differs from itself."""
    mine, theirs = (each.contiguous().reshape(-1).view(torch.uint8) for each in (tensor, other))
    return torch.equal(mine, theirs)


def _refused(why: str) -> EngineError:
    return EngineError("unsafe_weights", f"The weights are not converted: {why}.")
