"""Methods that change the model's own weights: all of them, its head alone, or its biases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from worker.engine.tuning.methods.method import Attached, Given, heads_of


class Whole(Attached):
    """A plain model, of which some weights may rest."""

    def save(self, folder: Path) -> None:
        """Write the model."""
        self.base.save_pretrained(folder)

    def merged(self) -> PreTrainedModel:
        """Return the model itself."""
        return self.base


def attach(model: PreTrainedModel, method: str, options: Mapping[str, Any], given: Given) -> Attached:
    """Let the weights rest that the method leaves alone."""
    heads = tuple(f"{name}." for name in heads_of(model, given.task))
    for name, parameter in model.named_parameters():
        in_head = name.startswith(heads) if heads else False
        is_bias = method == "bitfit" and name.endswith("bias")
        parameter.requires_grad_(method == "full" or in_head or is_bias)
    return Whole(model)
