"""Shorter ways to what a model learns. They draw and add other numbers, so that the exported script takes them too."""

from dataclasses import dataclass

import torch

from worker.engine.answering.first_token import learn_first_token
from worker.engine.tuning import dropping, products
from worker.engine.tuning.methods.method import Attached
from worker.engine.tuning.objectives.objective import Objective
from worker.engine.tuning.registry import Method

# Methods that leave layers what they are: no tokens before the text, nothing between layers.
PLAIN = ("whole", "low-rank")


@dataclass(frozen=True, kw_only=True)
class Shortcuts:
    """Which ones a run takes, under the names that the script knows."""

    # Whether the last layer is computed for its first token alone.
    first_token: bool
    # From how many multiplications on a linear layer is computed by oneDNN; None is never.
    onednn_from: int | None
    # Whether dropout decides by 16 random bits for each number.
    short_draws: bool


def take(attached: Attached, objective: Objective, method: Method, dtype: torch.dtype) -> Shortcuts:
    """Change how a model computes, with its method on it, where that is known to be as good."""
    model = attached.base
    onednn = dtype == torch.float32 and products.learn_with_onednn(attached.model)
    return Shortcuts(
        first_token=objective.reads_first_token and method.group in PLAIN and learn_first_token(model),
        onednn_from=products.WORTH if onednn else None,
        short_draws=model.device.type == "cpu" and dropping.learn_with_short_draws(attached.model),
    )
