"""Query, key and value of an attention that reads one text: one product of matrices instead of three.

Each of them is too small for the cores to share its work well, and each reads the same states. Numbers are equal up to
the order of additions.
"""

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from worker.engine.tuning import products

# What attentions call the three, in the order in which they ask them.
NAMES = (("query", "key", "value"), ("q_lin", "k_lin", "v_lin"), ("q_proj", "k_proj", "v_proj"))


def learn_jointly(model: nn.Module) -> bool:
    """Have the three be multiplied at once where they are plain layers; return whether any are.

    To be called once products are those of `learn_with_onednn`. Models with an encoder and a decoder stay as they are:
    their attentions may ask the query of other states than the rest, which only the call shows.
    """
    config: Any = getattr(model, "config", None)
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "add_cross_attention", False):
        return False
    groups = [layers for module in model.modules() for names in NAMES if (layers := _plain(module, names))]
    for layers in groups:
        joint = _Joint(layers)
        for place, layer in enumerate(layers):
            layer.forward = partial(joint.ask, place)
    return bool(groups)


def _plain(module: nn.Module, names: tuple[str, ...]) -> list[Any]:
    """Return the layers of these names, or nothing where one of them is missing or wrapped by a method."""
    layers: list[Any] = [getattr(module, name, None) for name in names]
    is_plain = all(type(layer) is nn.Linear and layer.weight.dtype == torch.float32 for layer in layers)
    return layers if is_plain and len({layer.in_features for layer in layers}) == 1 else []


class _Joint:
    """Three layers. Who asks the first one for some states is answered by all, which the others then hand out."""

    def __init__(self, layers: list[Any]) -> None:
        self._layers = layers
        self._outputs = sum(len(layer.weight) for layer in layers)
        self._states: torch.Tensor | None = None
        self._found: list[torch.Tensor] = []

    def ask(self, place: int, states: torch.Tensor) -> torch.Tensor:
        """Return states (..., inputs) through the layer at this place, (..., outputs)."""
        if place == 0 and states.dtype == torch.float32 and states.numel() * self._outputs >= products.WORTH:
            self._states, self._found = states, self._multiply(states)
        if self._states is not states:
            return products.multiply(self._layers[place], states)
        found = self._found[place]
        if place == len(self._layers) - 1:
            self._states, self._found = None, []  # nothing of a step is kept for the next
        return found

    def _multiply(self, states: torch.Tensor) -> list[torch.Tensor]:
        apply: Any = _Products.apply
        parts = [part for layer in self._layers for part in (layer.weight, layer.bias)]
        return [found.view(*states.shape[:-1], -1) for found in apply(states.flatten(0, -2), *parts)]


class _Products(torch.autograd.Function):
    """Several linear layers over the same states."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, *parts: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        # (tokens, inputs), then (outputs, inputs) and (outputs,) of each -> (tokens, outputs) of each
        weights: Any = parts[::2]
        biases: Any = parts[1::2]
        ctx.save_for_backward(states, *weights)
        bias = None if biases[0] is None else torch.cat(biases)
        found = products.product(states, torch.cat(weights), bias)
        return found.split([len(weight) for weight in weights], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        states, *weights = ctx.saved_tensors
        sizes = [len(weight) for weight in weights]
        of_states, *of_parts = ctx.needs_input_grad
        gradient = torch.cat(gradients, dim=1)  # (tokens, outputs of all)
        none = (None,) * len(sizes)
        of_weights = products.product(gradient.t(), states.t()).split(sizes) if any(of_parts[::2]) else none
        of_biases = gradient.sum(dim=0).split(sizes) if any(of_parts[1::2]) else none
        found = [part for both in zip(of_weights, of_biases, strict=True) for part in both]
        return (
            products.product(gradient, torch.cat(weights).t()) if of_states else None,
            *(part if wanted else None for part, wanted in zip(found, of_parts, strict=True)),
        )
