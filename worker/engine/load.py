"""A model folder to a model that is ready to answer, every failure a typed error its author can act upon."""

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import PretrainedConfig, PreTrainedModel

from worker.engine.answering.sharing import once
from worker.engine.contracts import Device, Dtype, EngineError
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.model_config import BODY, CheckedConfig, read_config
from worker.engine.tokenizing import LoadedTokenizer, load_tokenizer
from worker.engine.weights import SINGLE, find_weights, read_tensors

DTYPES: dict[Dtype, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
MAX_SEQUENCE = 8192
SHOWN = 8
# How far config.json may describe more numbers than the weights hold before it is refused unbuilt: absent tensors
# are allocated before they are reported.
ALLOWED_EXCESS = 2
FREE_EXCESS = 10_000_000


class Buildable(Protocol):
    """A config that was checked, and the class of the model that it is for."""

    @property
    def model_class(self) -> type[PreTrainedModel]:
        """Return a class of transformers itself."""

    @property
    def config(self) -> PretrainedConfig:
        """Return what that class is made from."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """A model in eval mode, whatever it reads."""

    model: PreTrainedModel
    device: torch.device
    parameters: int
    weights_bytes: int
    unused_tensors: list[str]


@dataclass(frozen=True, kw_only=True)
class LoadedModel(Built):
    """A model of texts with its tokenizer."""

    tokenizer: LoadedTokenizer
    config: CheckedConfig
    load_seconds: float
    # Tokens that something invented takes of the model's length.
    taken: int = 0

    @property
    def vocab_size(self) -> int:
        """How many token ids have an embedding."""
        return int(self.config.config.vocab_size)

    @property
    def pad_id(self) -> int | None:
        """The id that the model itself takes for padding, if it names one."""
        pad: int | None = getattr(self.config.config, "pad_token_id", None)
        return pad

    @property
    def type_vocab_size(self) -> int:
        """How many segments the model tells apart; 0 or 1 means that it takes no segment ids."""
        return int(getattr(self.config.config, "type_vocab_size", 0) or 0)

    def max_length(self, wanted: int | None) -> int:
        """Return how many tokens of a text are read: the least of what is wanted and what model and author allow."""
        limits = (self.config.position_limit - self.taken, self.tokenizer.stated_length, wanted, MAX_SEQUENCE)
        return min(limit for limit in limits if limit is not None)


def load_model(
    model_dir: str,
    *,
    heads: Sequence[str],
    problem_types: Sequence[str] = (),
    dtype: Dtype = "float32",
    device: Device = "auto",
) -> LoadedModel:
    """Load a model with one of these heads from a folder that may be hostile, once for all turns of an evaluation."""
    key = ("model", model_dir, tuple(heads), tuple(problem_types), dtype, device)
    return once(key, lambda: _load(model_dir, heads, problem_types, dtype, device))


def _load(
    model_dir: str, heads: Sequence[str], problem_types: Sequence[str], dtype: Dtype, device: Device
) -> LoadedModel:
    started = time.perf_counter()
    place = choose_device(device)
    folder = ModelFolder(model_dir)
    if is_adapter(folder):
        # It takes libraries that no other model needs.
        adapted: Any = importlib.import_module("worker.engine.tuning.methods.adapted")
        loaded: LoadedModel = adapted.load_adapted(folder, heads, dtype=dtype, device=place)
        return loaded
    config = read_config(folder, heads, problem_types)
    tokenizer = load_tokenizer(folder, config.config.model_type)
    built = build(folder, config, dtype=dtype, device=place)
    return LoadedModel(**vars(built), tokenizer=tokenizer, config=config, load_seconds=time.perf_counter() - started)


def is_adapter(folder: ModelFolder) -> bool:
    """Say whether a folder holds what is put on another model, and no model of its own."""
    return (
        folder.find("adapter_config.json", code="bad_config") is not None
        and folder.find(SINGLE, code="weights_unreadable") is None
    )


def build(folder: ModelFolder, config: Buildable, *, dtype: Dtype, device: torch.device) -> Built:
    """Read the weights into the class that a checked config names."""
    files = find_weights(folder)
    tensors = read_tensors(files)
    parameters = check_size(config, tensors)
    model, unused = _build(config, tensors, DTYPES[dtype])
    with failing_as("inference_failed", f"The model cannot be moved to {device}."):
        model = model.to(device)  # type: ignore[arg-type]
    model.eval()
    # A wrapper in train mode once ran a whole table with dropout on, at 96 % agreement: look, do not trust.
    if any(module.training for module in model.modules()):
        raise EngineError("inference_failed", "a part of the model stays in training mode")
    return Built(
        model=model,
        device=device,
        parameters=parameters,
        weights_bytes=sum(path.stat().st_size for path in files),
        unused_tensors=unused,
    )


def choose_device(device: Device) -> torch.device:
    """Return the device to run on; auto takes a GPU when there is one."""
    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError("device_unavailable", "device is cuda, but this machine has no GPU that torch can use")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def check_size(config: Buildable, tensors: dict[str, torch.Tensor]) -> int:
    """Return how many parameters a model has, refused where its weights hold far fewer."""
    with failing_as("bad_config", "No model can be built from config.json."), torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in config.model_class(config.config).parameters())
    held = sum(tensor.numel() for tensor in tensors.values())
    if parameters > ALLOWED_EXCESS * held + FREE_EXCESS:
        raise EngineError(
            "weights_incomplete",
            f"config.json describes a model of {parameters} parameters, but the weights hold {held}.",
        )
    return parameters


def _build(
    config: Buildable, tensors: dict[str, torch.Tensor], dtype: torch.dtype
) -> tuple[PreTrainedModel, list[str]]:
    model, info = fill(config, tensors, dtype)
    if mismatched := sorted(info.get("mismatched_keys", ())):
        raise wrong_shapes(mismatched)
    # Of a body its hidden states are read, never its pooler, which many were saved without.
    has_pooler = not config.model_class.__name__.endswith(BODY)
    if missing := sorted(name for name in info["missing_keys"] if has_pooler or not name.startswith("pooler.")):
        raise incomplete(missing)
    if info.get("error_msgs"):
        raise EngineError("weights_unreadable", "The weights do not fit config.json.")
    return model, sorted(info["unexpected_keys"])


def fill(
    config: Buildable, tensors: dict[str, torch.Tensor], dtype: torch.dtype
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return a model with these tensors, and what the library says did not fit; random numbers fill the gaps."""
    # The folder itself is never handed over: beside config.json, from_pretrained would also look for adapters,
    # distributed checkpoints (whose index is a pickle), generation settings and other weight files.
    with failing_as("weights_unreadable", "The weights do not fit config.json."):
        # Declared as returning a model alone; with output_loading_info it is a pair.
        loaded: Any = config.model_class.from_pretrained(
            None,
            config=config.config,
            state_dict=tensors,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused by name; the library names them in its log alone
        )
    model: PreTrainedModel = loaded[0]
    info: dict[str, Any] = loaded[1]
    return model, info


def wrong_shapes(mismatched: Sequence[tuple[str, Sequence[int], Sequence[int]]]) -> EngineError:
    """Return the error for tensors of other shapes than config.json says."""
    shapes = [f"{name[:100]} has {list(found)} instead of {list(wanted)}" for name, found, wanted in mismatched]
    return EngineError(
        "weights_unreadable",
        f"The shapes of {len(shapes)} tensors do not fit config.json: {_shown(shapes)}. Publish config.json "
        "and the weights of the same model.",
    )


def incomplete(missing: list[str]) -> EngineError:
    """Return the error for tensors that are absent and should not be."""
    return EngineError(
        "weights_incomplete",
        f"The weights lack {len(missing)} tensors that the model needs: {_shown(missing)}. They would have been "
        "filled with random numbers. Save the whole fine-tuned model, its head included.",
    )


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(name[:200] for name in names[:SHOWN]) + more
