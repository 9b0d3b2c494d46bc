"""A folder that holds an adapter alone, and that of its base, to a model that is ready to answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from worker.engine.answering.sharing import base_dir
from worker.engine.contracts import MAX_LABELS, Dtype, EngineError
from worker.engine.decoding import read_json_object
from worker.engine.folder import ModelFolder
from worker.engine.image_processing import read_processor
from worker.engine.load import DTYPES, LoadedModel, check_size
from worker.engine.load_vision import LoadedVision
from worker.engine.model_config import CheckedConfig, read_base
from worker.engine.tokenizing import load_tokenizer
from worker.engine.tuning.beginning import build, settle
from worker.engine.tuning.methods.loading import put_on
from worker.engine.tuning.methods.method import PURPOSE, WEIGHTS
from worker.engine.vision_config import read_vision_config
from worker.engine.weights import find_weights, read_tensors

LIMIT = 1 << 20
MAX_LABEL, MAX_HEADS = 1000, 8
PROBLEMS = (None, "regression", "single_label_classification", "multi_label_classification")


@dataclass(frozen=True)
class Purpose:
    """Which head an adapter was trained with; a file of ours says it, and adapters from elsewhere have none."""

    labels: list[str] | None
    problem_type: str | None
    heads: list[str]


def load_adapted(adapter: ModelFolder, heads: Sequence[str], *, dtype: Dtype, device: torch.device) -> LoadedModel:
    """Load a base with a head for one of these tasks, and put the adapter on it."""
    started = time.perf_counter()
    base, purpose = _base(), _purpose(adapter)
    made, _standing = read_base(base, heads, labels=purpose.labels, problem_type=purpose.problem_type)
    own = adapter.find("tokenizer.json", code="tokenizer_unreadable") is not None
    tokenizer = load_tokenizer(adapter if own else base, made.config.model_type)
    settle(made.config, tokenizer)
    built, taken = _built(adapter, base, made, purpose, dtype, device)
    return LoadedModel(
        **built, tokenizer=tokenizer, config=made, load_seconds=time.perf_counter() - started, taken=taken
    )


def load_adapted_vision(
    adapter: ModelFolder, heads: Sequence[str], *, dtype: Dtype, device: torch.device
) -> LoadedVision:
    """Do the same for a model of images."""
    started = time.perf_counter()
    base, purpose = _base(), _purpose(adapter)
    config = read_vision_config(base, heads)
    if purpose.labels is not None:
        config.labels[:] = purpose.labels
        config.config.id2label = dict(enumerate(purpose.labels))
        config.config.label2id = {label: number for number, label in enumerate(purpose.labels)}
    made = CheckedConfig(config.model_class, config.config, config.labels, is_decoder=False)
    built, _taken = _built(adapter, base, made, purpose, dtype, device)
    processor = read_processor(base, config.processor, config.channels)
    return LoadedVision(**built, processor=processor, config=config, load_seconds=time.perf_counter() - started)


def _base() -> ModelFolder:
    path = base_dir()
    if path is None:
        raise EngineError(
            "missing_weights",
            "The folder holds an adapter alone: it answers only on the model that it was trained on, which was not "
            "given. Publish the adapter merged into its base, or name the base.",
        )
    return ModelFolder(path)


def _purpose(adapter: ModelFolder) -> Purpose:
    path = adapter.find(PURPOSE, code="bad_config")
    raw = read_json_object(path, limit=LIMIT, code="bad_config") if path else {}
    labels, problem, heads = raw.get("labels"), raw.get("problem_type"), raw.get("heads", [])
    fine = labels is None or (_are_texts(labels, MAX_LABELS) and 1 <= len(labels) == len(set(labels)))
    if not fine or problem not in PROBLEMS or not _are_texts(heads, MAX_HEADS):
        raise EngineError("bad_config", f"{PURPOSE} must have labels, a problem_type and heads, or be left out")
    return Purpose(labels, problem, heads)


def _are_texts(value: Any, most: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(text, str) and 0 < len(text) <= MAX_LABEL for text in value)
    )


def _built(
    adapter: ModelFolder, base: ModelFolder, made: CheckedConfig, purpose: Purpose, dtype: Dtype, device: torch.device
) -> tuple[dict[str, Any], int]:
    files = find_weights(base)
    tensors = read_tensors(files)
    check_size(made, tensors)
    model, fresh = build(made, tensors)
    attached = put_on(model, adapter, purpose.heads)
    weights = adapter.need(WEIGHTS, code="missing_weights", why="it holds the weights of the adapter")
    brought = read_tensors([weights])
    # `peft` writes base_model.model. before names of the model, base_model. where tokens were invented; we write none.
    names = {name.removeprefix(prefix) for name in brought for prefix in ("base_model.model.", "base_model.", "")}
    if random := [name for name in fresh if name not in names]:
        raise EngineError(
            "weights_incomplete",
            f"Neither the base nor the adapter has {len(random)} tensors that the model needs: {random[0][:200]}.",
        )
    plain: PreTrainedModel | None = attached.merged()
    answering: Any = attached.model if plain is None else plain
    answering.to(device, DTYPES[dtype])
    answering.eval()
    if any(module.training for module in answering.modules()):
        raise EngineError("inference_failed", "a part of the model stays in training mode")
    return {
        "model": answering,
        "device": device,
        "parameters": sum(parameter.numel() for parameter in answering.parameters()),
        "weights_bytes": sum(path.stat().st_size for path in (*files, weights)),
        "unused_tensors": [],
    }, attached.virtual_tokens
