"""Dropout of a model that learns on a processor, four numbers decided by each random one that is drawn.

torch draws a random number for each number of a tensor, on one core: an eighth of the time of a small encoder. A share
is kept to 1/65536 here, which is what 16 random bits tell apart, and the mean stays what it is without dropout.
"""

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

SHARES = 1 << 16


def learn_with_short_draws(model: nn.Module) -> bool:
    """Have the dropout of a model decide by 16 bits for each number, and return whether it has any."""
    layers: list[Any] = [module for module in model.modules() if type(module) is nn.Dropout]
    for layer in layers:
        layer.forward = partial(_drop, layer)
    return bool(layers)


def _drop(layer: nn.Dropout, states: torch.Tensor) -> torch.Tensor:
    dropped = round(layer.p * SHARES)
    if not layer.training or not 0 < dropped < SHARES or states.dtype != torch.float32 or states.device.type != "cpu":
        return functional.dropout(states, layer.p, layer.training)
    return states * _mask(states, dropped)


def _mask(states: torch.Tensor, dropped: int) -> torch.Tensor:
    """Return zeros for so many in SHARES, and for the others what keeps the mean."""
    drawn = torch.empty(-(-states.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    bits = drawn.view(torch.int16)[: states.numel()].view(states.shape)
    mask = torch.empty(states.shape)
    torch.ge(bits, dropped - SHARES // 2, out=mask)
    return mask.mul_(SHARES / (SHARES - dropped))
