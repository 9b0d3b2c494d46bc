"""What a run goes on from after it was killed: tensors as safetensors and the rest as JSON, never a pickle.

A checkpoint is written beside the last one and takes its place by renaming, so that there is always a whole one.
"""

import json
import os
import random
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from worker.engine.contracts import EngineError
from worker.engine.decoding import decode, read_json_object
from worker.engine.tuning.contracts import ARITHMETIC, CHECKPOINT_DIR

WEIGHTS = "weights.safetensors"
OPTIMIZER = "optimizer.safetensors"
BEST = "best.safetensors"
STATE = "state.json"
# Which rows the model has labelled itself, where it does, see `worker.engine.tuning.self_training`.
ROUNDS = "rounds.json"
STATE_LIMIT = 16 << 20


@dataclass(kw_only=True)
class Progressed:
    """How far a run has come."""

    # Of the spec and the data: a checkpoint of another run is not gone on from.
    identity: str
    step: int = 0
    epoch: int = 0
    offset: int = 0
    epochs: float = 0.0
    # Since the last record of a step.
    loss: float = 0.0
    aux_loss: float = 0.0
    units: float = 0.0
    tokens: int = 0
    cells: int = 0
    rows: int = 0
    # Of all steps so far.
    all_tokens: int = 0
    all_cells: int = 0
    all_rows: int = 0
    passes: int = 0
    best: dict[str, Any] = field(default_factory=dict)
    without_gain: int = 0
    finished: bool = False
    seq: int = 0
    seconds: float = 0.0
    attempts: int = 1


@dataclass(kw_only=True)
class Found:
    """What a checkpoint holds."""

    progressed: Progressed
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    random: dict[str, Any]


def write(
    folder: Path,
    progressed: Progressed,
    weights: Mapping[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    more: Any,
) -> None:
    """Replace the checkpoint of a run."""
    partial, old = folder / (CHECKPOINT_DIR + ".part"), folder / (CHECKPOINT_DIR + ".old")
    for stale in (partial, old):
        shutil.rmtree(stale, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(_on_cpu(weights), partial / WEIGHTS)
    tensors, rest = _flat(optimizer.state_dict())
    save_file(tensors, partial / OPTIMIZER)
    for name in (BEST, ROUNDS):
        if (folder / name).exists():
            shutil.copyfile(folder / name, partial / name)
    state = {
        "arithmetic": ARITHMETIC,
        "step": progressed.step,
        "progressed": asdict(progressed),
        "optimizer": rest,
        "random": random_state(),
        "more": more,
    }
    (partial / STATE).write_text(json.dumps(state), encoding="utf-8")
    for path in partial.iterdir():
        _sync(path)
    # Between both renamings there is only the old one, which `read` finds too.
    if (folder / CHECKPOINT_DIR).exists():
        os.replace(folder / CHECKPOINT_DIR, old)
    os.replace(partial, folder / CHECKPOINT_DIR)
    shutil.rmtree(old, ignore_errors=True)


def read(folder: Path, identity: str) -> Found | None:
    """Return the checkpoint of an earlier attempt at the same run."""
    place = place_of(folder)
    if not (place / STATE).is_file():
        return None
    state = read_json_object(place / STATE, limit=STATE_LIMIT, code="training_failed")
    if state.get("arithmetic", 1) != ARITHMETIC:
        raise EngineError(
            "training_failed", "The checkpoint is of an engine that computes otherwise; begin in an empty folder."
        )
    progressed = decode(Progressed, state["progressed"], where="checkpoint")
    if progressed.identity != identity:
        raise EngineError(
            "training_failed", "The checkpoint is of a run with another recipe or other data; begin in an empty folder."
        )
    (folder / BEST).unlink(missing_ok=True)
    if (place / BEST).exists():
        shutil.copyfile(place / BEST, folder / BEST)
    return Found(
        progressed=progressed,
        weights=load_file(place / WEIGHTS),
        optimizer=_deep(load_file(place / OPTIMIZER), state["optimizer"]),
        random={**state["random"], "more": state["more"]},
    )


def place_of(folder: Path) -> Path:
    """Return where the checkpoint of a run lies, if there is one."""
    place = folder / CHECKPOINT_DIR
    return place if place.is_dir() else folder / (CHECKPOINT_DIR + ".old")


def remove(folder: Path) -> None:
    """Take away what only a run that goes on needs."""
    for name in (CHECKPOINT_DIR, CHECKPOINT_DIR + ".old", CHECKPOINT_DIR + ".part"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / BEST).unlink(missing_ok=True)


def write_best(folder: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Keep weights as the best so far."""
    partial = folder / (BEST + ".part")
    save_file(_on_cpu(weights), partial)
    os.replace(partial, folder / BEST)


def read_best(folder: Path) -> dict[str, torch.Tensor]:
    """Return the best weights."""
    return load_file(folder / BEST)


def random_state() -> dict[str, Any]:
    """Return where every generator of random numbers stands, as JSON."""
    version, numbers, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [name, np.asarray(keys).tolist(), position, has_gauss, cached],
        "torch": torch.get_rng_state().tolist(),
        "cuda": [state.tolist() for state in states],
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Put every generator where it stood."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    torch.set_rng_state(torch.tensor(state["torch"], dtype=torch.uint8))
    if state["cuda"] and torch.cuda.is_available():
        # Those of GPUs that this machine has.
        for device, part in zip(range(torch.cuda.device_count()), state["cuda"], strict=False):
            torch.cuda.set_rng_state(torch.tensor(part, dtype=torch.uint8), device)


def _flat(state: dict[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors of an optimizer under names, and the rest."""
    tensors, rest = {}, {}
    for number, values in state["state"].items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{number}/{name}"] = value.detach().cpu().contiguous()
            else:
                rest[f"{number}/{name}"] = value
    return tensors, {"rest": rest, "groups": state["param_groups"]}


def _deep(tensors: Mapping[str, torch.Tensor], rest: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[int, dict[str, Any]] = {}
    for path, value in {**tensors, **rest["rest"]}.items():
        number, _, name = path.partition("/")
        found.setdefault(int(number), {})[name] = value
    return {"state": found, "param_groups": rest["groups"]}


def _on_cpu(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
