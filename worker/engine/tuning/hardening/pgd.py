"""Projected gradient descent (Madry et al. 2018): several steps uphill, and what is found there is learned as well."""

import torch

from worker.engine.tuning.hardening.attacks import Attack
from worker.engine.tuning.objectives.objective import Batch
from worker.engine.tuning.passes import Passes

OPTIONS = {"epsilon": 0.03, "alpha": 0.015, "steps": 3}
BOUNDS = {"epsilon": (0.001, 2.0), "alpha": (0.001, 2.0), "steps": (1, 10)}


def learn(passes: Passes, batch: Batch, *, epsilon: float, alpha: float, steps: int) -> torch.Tensor:
    """Add half of the gradients of both; one pass more than there are steps."""
    attack = Attack(passes, batch)
    clean = attack.loss().total
    passes.back(clean / 2)
    attack.climb(attack.gathered(), alpha, epsilon)
    for _step in range(steps - 1):
        attack.climb(attack.gradient(attack.loss()), alpha, epsilon)
    passes.back(attack.loss().total / 2)
    return clean.detach()
