"""Adapters as Houlsby and Pfeiffer have them: a narrow layer behind parts of each layer, added to what comes out.

Houlsby puts one behind the attention and one behind the feed-forward part, Pfeiffer only the latter. Ours, because
the package `adapters` does not go with transformers 5: safetensors, and a config that only this module reads.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import PreTrainedModel

from worker.engine.tuning.methods.method import CONFIG, WEIGHTS, Attached, Given, heads_of
from worker.engine.tuning.methods.places import layers

KIND = "BOTTLENECK"
PLACES = {"houlsby": ("out", "down"), "pfeiffer": ("down",)}
ACTIVATIONS: dict[str, Any] = {"gelu": F.gelu, "relu": F.relu, "silu": F.silu}
# It begins as next to nothing, so that the model first says what it said before.
FIRST_SCALE = 1e-3


class Adapted(torch.nn.Module):
    """A layer, and the narrow one behind it."""

    def __init__(self, layer: torch.nn.Module, width: int, *, reduction: int, activation: str, dropout: float) -> None:
        super().__init__()
        narrow = max(1, width // reduction)
        weight: Any = layer.weight
        kind = {"device": weight.device, "dtype": weight.dtype}
        self.layer = layer
        self.down = torch.nn.Linear(width, narrow, **kind)
        self.up = torch.nn.Linear(narrow, width, **kind)
        torch.nn.init.normal_(self.up.weight, std=FIRST_SCALE)
        torch.nn.init.zeros_(self.up.bias)
        self._activation, self._dropout = ACTIVATIONS[activation], dropout

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return what the layer says, (..., width), and what the adapter makes of it."""
        said: torch.Tensor = self.layer(hidden)
        narrow = F.dropout(self._activation(self.down(said)), self._dropout, self.training)  # (..., narrow)
        added: torch.Tensor = self.up(narrow)
        return said + added

    @property
    def weight(self) -> Any:
        """Return the layer's own; T5 looks at its dtype."""
        return self.layer.weight

    @property
    def bias(self) -> Any:
        """Return the layer's own."""
        return self.layer.bias


class Bottleneck(Attached):
    """A model with adapters in place."""

    def __init__(self, base: PreTrainedModel, config: dict[str, Any], places: list[str], heads: list[str]) -> None:
        super().__init__(base)
        self._config = config
        base.requires_grad_(requires_grad=False)
        for name in places:
            put_behind(base, name, config)
        for name in heads:
            base.get_submodule(name).requires_grad_(requires_grad=True)

    def save(self, folder: Path) -> None:
        """Write the adapters and the head."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: item.detach().cpu() for name, item in self.base.named_parameters() if item.requires_grad}
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(self._config, indent=1) + "\n", encoding="utf-8")
        self.say_purpose(folder)

    def merged(self) -> None:
        """There is no plain model that says the same: what is between two narrow layers is not linear."""


def put_behind(model: PreTrainedModel, name: str, config: Mapping[str, Any]) -> None:
    """Put an adapter behind a layer."""
    parent, _, own = name.rpartition(".")
    layer: Any = model.get_submodule(name)
    width = layer.weight.shape[1] if type(layer).__name__ == "Conv1D" else layer.weight.shape[0]
    options = {key: config[key] for key in ("reduction", "activation", "dropout")}
    setattr(model.get_submodule(parent), own, Adapted(layer, width, **options))


def attach(model: PreTrainedModel, method: str, options: Mapping[str, Any], given: Given) -> Attached:
    """Put an adapter behind each place that the architecture has for it."""
    places = layers(model, given.facts, PLACES[method])
    heads = heads_of(model, given.task)
    config = {
        "peft_type": KIND,
        "base_model_name_or_path": model.name_or_path or None,
        "target_modules": places,
        "modules_to_save": heads,
        **options,
    }
    return Bottleneck(model, config, places, heads)
