"""Linear layers of a model that learns on a processor, multiplied by oneDNN on the way there and back.

What `worker.engine.answering.linear_layers` does for answers, with gradients and without the activation. The weights
stay where they are, and the numbers are equal up to the order of additions.
"""

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from worker.engine.answering import linear_layers

# Below as many multiplications the call costs more than it saves.
WORTH = linear_layers.WORTH


def learn_with_onednn(model: nn.Module) -> bool:
    """Have the float32 linear layers of a model multiplied by oneDNN, in training as in answers.

    Returns whether any is: not on a GPU, in other number formats, or where this torch has no such operation.
    """
    if not linear_layers.is_known():
        return False
    layers: list[Any] = [module for module in model.modules() if _fits(module)]
    for layer in layers:
        layer.forward = partial(_multiply, layer)
    return bool(layers)


def _fits(module: nn.Module) -> bool:
    # Of layers that a method wrapped, what they wrap is multiplied so.
    weight: Any = getattr(module, "weight", None)
    return (
        type(module) in (nn.Linear, Conv1D)
        and weight.dtype == torch.float32
        and weight.device.type == "cpu"
        and "forward" not in vars(module)
    )


def _multiply(layer: Any, states: torch.Tensor) -> torch.Tensor:
    """Return states (..., inputs) through a layer, (..., outputs)."""
    weight: torch.Tensor = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight  # (outputs, inputs)
    if states.dtype != torch.float32 or states.numel() * len(weight) < WORTH:
        return functional.linear(states, weight, layer.bias)
    # Of two dimensions, for methods add to the output in place, which is refused where that is a view.
    apply: Any = _Product.apply
    found: torch.Tensor = apply(states.flatten(0, -2), weight, layer.bias)
    return found.view(*states.shape[:-1], len(weight))


class _Product(torch.autograd.Function):
    """A linear layer by an operation of torch that is made for its compiler and knows no gradients."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        # (tokens, inputs), (outputs, inputs), (outputs,) -> (tokens, outputs)
        ctx.save_for_backward(states, weight)
        return _product(states, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        states, weight = ctx.saved_tensors
        of_states, of_weight, of_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.t()) if of_states else None,
            _product(gradient.t(), states.t()) if of_weight else None,
            gradient.sum(dim=0) if of_bias else None,
        )


def _product(states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
    return found
