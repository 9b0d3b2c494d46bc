"""Linear layers of a model that answers on a processor, computed by oneDNN with the activation behind them.

torch multiplies float32 with MKL, which leaves half of the width of an AMD processor unused; oneDNN comes with torch
too, uses all of it, and applies bias and activation to what it still holds. The weights stay where they are.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional
from transformers import activations
from transformers.pytorch_utils import Conv1D

# Below as many multiplications the call costs more than it saves.
WORTH = 1 << 23
# Attributes of the blocks of transformers: a linear layer, and the activation that its output goes through at once.
ACTIVATED = (
    ("dense", "intermediate_act_fn"),  # BERT and what is like it
    ("dense", "transform_act_fn"),  # their heads that predict words
    ("ffn", "activation"),  # ALBERT
    ("lin1", "activation"),  # DistilBERT
    ("c_fc", "act"),  # GPT-2
    ("dense_h_to_4h", "act"),  # GPT-NeoX
    ("gate_proj", "act_fn"),  # Llama and what is like it
    ("fc1", "activation_fn"),  # BART, OPT, Phi, CLIP
    ("wi", "act"),  # T5
    ("wi_0", "act"),  # T5 with gates
)


class Activation(NamedTuple):
    """An activation, and what oneDNN calls it."""

    plain: Callable[[torch.Tensor], torch.Tensor]
    name: str
    algorithm: str


NONE = Activation(lambda values: values, "none", "")
KNOWN: dict[type, Activation] = {
    activations.GELUActivation: Activation(functional.gelu, "gelu", "none"),
    activations.NewGELUActivation: Activation(partial(functional.gelu, approximate="tanh"), "gelu", "tanh"),
    activations.GELUTanh: Activation(partial(functional.gelu, approximate="tanh"), "gelu", "tanh"),
    nn.ReLU: Activation(functional.relu, "relu", ""),
    nn.SiLU: Activation(functional.silu, "swish", ""),
    activations.SiLUActivation: Activation(functional.silu, "swish", ""),
}


def multiply_with_onednn(model: object) -> bool:
    """Have the float32 linear layers of a model in eval mode computed by oneDNN where no gradient is made.

    Answers stay equal up to the order of additions, weights keep their names. Returns whether anything was changed:
    not on a GPU, in other number formats, or where this torch has no such operation. Twice is as good as once.
    """
    if not is_known() or not isinstance(model, nn.Module) or model.training:
        return False
    changed = False
    for module in list(model.modules()):
        for layer, activation in _activated(module):
            changed |= _replace(layer, activation)
        changed |= _replace(module, NONE)
    return changed


def is_known() -> bool:
    """Say whether torch has this operation, which is made for its compiler and promised to nobody."""
    return bool(torch._C._has_mkldnn) and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _activated(module: nn.Module) -> list[tuple[nn.Module, Activation]]:
    """Take known activations out of a block, and return the layers that compute them from now on."""
    found = []
    for name, activation_name in ACTIVATED:
        layer, activation = (getattr(module, part, None) for part in (name, activation_name))
        known = KNOWN.get(type(activation))
        if known is not None and isinstance(layer, nn.Module) and _fits(layer):
            setattr(module, activation_name, nn.Identity())
            found.append((layer, known))
    return found


def _fits(layer: nn.Module) -> bool:
    weight: Any = getattr(layer, "weight", None)
    return (
        type(layer) in (nn.Linear, Conv1D)
        and weight.dtype == torch.float32
        and weight.device.type == "cpu"
        and "forward" not in vars(layer)
    )


def _replace(layer: nn.Module, activation: Activation) -> bool:
    if not _fits(layer):
        return False
    layer.forward = partial(_multiply, layer, activation, type(layer) is Conv1D)
    return True


def _multiply(layer: Any, activation: Activation, is_turned: bool, states: torch.Tensor) -> torch.Tensor:
    """Return states (..., inputs) through a layer and its activation, (..., outputs)."""
    weight: torch.Tensor = layer.weight.t() if is_turned else layer.weight  # (outputs, inputs)
    if torch.is_grad_enabled() or states.dtype != torch.float32 or states.numel() * len(weight) < WORTH:
        return activation.plain(functional.linear(states, weight, layer.bias))
    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
        states, weight, layer.bias, activation.name, [], activation.algorithm
    )
    return found
