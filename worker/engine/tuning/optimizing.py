"""Optimizers and schedules of the learning rate."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from worker.engine.tuning.contracts import Recipe

BETAS = (0.9, 0.999)


def optimizer_of(parameters: Sequence[torch.nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe over the parameters that learn."""
    groups = decayed(parameters, recipe.weight_decay)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, fused=True)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=recipe.lr, betas=BETAS, fused=True)


def decayed(parameters: Sequence[torch.nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Return the groups with and without weight decay; pulling biases and norms towards zero only hurts."""
    groups = [
        {"params": [parameter for parameter in parameters if parameter.ndim >= 2], "weight_decay": decay},
        {"params": [parameter for parameter in parameters if parameter.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def schedule_of(recipe: Recipe, steps: int) -> Callable[[int], float]:
    """Return the share of the learning rate at each step, from 0; it rises over the warm-up and never begins at 0."""
    warm_up = round(recipe.warmup * steps)
    rest = max(1, steps - warm_up)

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        share = (step - warm_up) / rest
        match recipe.schedule:
            case "linear":
                return max(0.0, 1 - share)
            case "cosine":
                return (1 + math.cos(math.pi * min(1.0, share))) / 2
            case "inverse_sqrt":
                return math.sqrt(max(1, warm_up) / (max(1, warm_up) + step - warm_up))
            case _:
                return 1.0

    return factor
