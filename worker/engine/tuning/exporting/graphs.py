"""Models as functions of plain tensors, with the names of inputs and outputs that other programs expect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import DynamicCache

from worker.engine.contracts import EngineError
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel
from worker.engine.sentence_modules import Dense, SentenceModules, read_modules
from worker.engine.tuning.exporting.kinds import Kind

Axes = dict[str, dict[int, str]]
Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a batch is: rows of so many tokens behind so many that were read before."""

    rows: int
    tokens: int
    past: int = 0


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A module in eval mode whose arguments are tensors alone, and what they are called."""

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    axes: Axes
    # (rows of the cache, width of a head) of each layer; none for models without a cache.
    cache: tuple[tuple[int, int], ...] = ()

    def named(self, tensors: Tensors) -> dict[str, Any]:
        """Return arguments by name, as onnxruntime wants them."""
        return {name: tensor.numpy() for name, tensor in zip(self.inputs, tensors, strict=True)}


def graph_of(kind: Kind, model: LoadedModel, folder: ModelFolder) -> Graph:
    """Return the graph of a loaded model."""
    if kind.name == "text-generation":
        return _writer(model)
    if kind.name == "text-classification" and model.config.is_decoder and model.pad_id is None:
        raise EngineError(
            "bad_config",
            "config.json names no pad_token_id, by which a model of this type finds the last token of a text in a "
            "batch. Add it, and export again.",
        )
    inputs = ["input_ids", "attention_mask"]
    if model.type_vocab_size > 1:
        inputs.append("token_type_ids")
    axes: Axes = {name: {0: "batch", 1: "sequence"} for name in inputs}
    if kind.name == "feature-extraction":
        modules = read_modules(folder, int(model.config.config.hidden_size))
        module: nn.Module = Vectors(model.model, modules)
        outputs = ["last_hidden_state", "sentence_embedding"]
    elif kind.name == "question-answering":
        module, outputs = Reader(model.model), ["start_logits", "end_logits"]
    else:
        module, outputs = Head(model.model), ["logits"]
    for name in outputs:
        whole = kind.per_token and name != "sentence_embedding"
        axes[name] = {0: "batch", 1: "sequence"} if whole else {0: "batch"}
    # A wrapper is in train mode when it is made, and the exporter gives its mode to what it wraps.
    return Graph(module=module.eval(), inputs=tuple(inputs), outputs=tuple(outputs), axes=axes)


class Read(nn.Module):
    """Hands tensors to a model under its names for them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, types: Sequence[torch.Tensor]) -> Any:
        """Return what the model says."""
        more = {"token_type_ids": types[0]} if types else {}
        return self.model(input_ids=input_ids, attention_mask=attention_mask, **more)


class Head(Read):
    """Logits (rows, labels), or of each token (rows, tokens, labels)."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, *types: torch.Tensor) -> Any:
        """Return the logits."""
        return self.read(input_ids, attention_mask, types).logits


class Reader(Read):
    """Logits of beginning and end, (rows, tokens) each."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, *types: torch.Tensor) -> Any:
        """Return both."""
        said = self.read(input_ids, attention_mask, types)
        return said.start_logits, said.end_logits


class Vectors(Read):
    """Hidden states (rows, tokens, size), and the vector (rows, width) that the author's files make of them."""

    def __init__(self, model: nn.Module, modules: SentenceModules) -> None:
        super().__init__(model)
        self.modules_of_sentences = single_precision(modules)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, *types: torch.Tensor) -> Any:
        """Return both."""
        hidden = self.read(input_ids, attention_mask, types).last_hidden_state
        return hidden, pooled(self.modules_of_sentences, hidden, attention_mask)


def single_precision(modules: SentenceModules) -> SentenceModules:
    """Return modules whose layers are of the graph's own precision; evaluations compute them in double."""
    steps = [
        Dense(step.weight.float(), None if step.bias is None else step.bias.float(), step.activation)
        if isinstance(step, Dense)
        else step
        for step in modules.steps
    ]
    return SentenceModules(stated=modules.stated, pooling=modules.pooling, steps=steps)


def pooled(modules: SentenceModules, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return one vector (rows, width) for hidden states (rows, tokens, size), by operations that every format has."""
    kept = mask.unsqueeze(-1).to(hidden.dtype)  # (rows, tokens, 1)
    found = {
        "cls": lambda: hidden[:, 0],
        "mean": lambda: (hidden * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1e-9),
        "max": lambda: (hidden - (1 - kept) * 1e4).max(dim=1).values,
        "lasttoken": lambda: _last(hidden, mask),
    }
    vectors = torch.cat([found[name]() for name in modules.pooling], dim=1)
    for step in modules.steps:
        vectors = step.apply(vectors)
    return vectors


def _last(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    last = (mask.sum(dim=1) - 1)[:, None, None].expand(-1, -1, hidden.shape[-1])  # (rows, 1, size)
    return hidden.gather(1, last).squeeze(1)


class Writer(nn.Module):
    """Logits (rows, tokens, vocabulary), and the keys and values of each layer after what was read."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, position_ids: torch.Tensor, *past: torch.Tensor
    ) -> Any:
        """Return them all."""
        cache = DynamicCache(list(zip(past[::2], past[1::2], strict=True)))
        said = self.model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, cache=cache, use_cache=True
        )
        return (said.logits, *held_by(cache))


def _writer(model: LoadedModel) -> Graph:
    cache = DynamicCache()
    with torch.inference_mode():
        model.model(input_ids=torch.zeros((1, 1), dtype=torch.long), cache=cache, use_cache=True)
    shapes = tuple((int(keys.shape[1]), int(keys.shape[3])) for keys in held_by(cache)[::2])
    parts = [f"{layer}.{part}" for layer in range(len(shapes)) for part in ("key", "value")]
    inputs = ("input_ids", "attention_mask", "position_ids", *(f"past_key_values.{part}" for part in parts))
    outputs = ("logits", *(f"present.{part}" for part in parts))
    axes: Axes = {name: {0: "batch", 1: "sequence"} for name in ("input_ids", "position_ids", "logits")}
    axes["attention_mask"] = {0: "batch", 1: "total"}
    axes |= {name: {0: "batch", 2: "past"} for name in inputs[3:]} | {
        name: {0: "batch", 2: "total"} for name in outputs[1:]
    }
    return Graph(module=Writer(model.model).eval(), inputs=inputs, outputs=outputs, axes=axes, cache=shapes)


def held_by(cache: DynamicCache) -> list[torch.Tensor]:
    """Return keys and values (rows, heads, tokens, width) of each layer in turn."""
    layers: list[Any] = cache.layers
    return [part for layer in layers for part in (layer.keys, layer.values)]
