"""FreeLB (Zhu et al. 2020): the gradients of every step uphill are learned from, so that none of them is lost."""

import torch

from worker.engine.tuning.hardening.attacks import Attack
from worker.engine.tuning.objectives.objective import Batch
from worker.engine.tuning.passes import Passes

OPTIONS = {"epsilon": 0.03, "alpha": 0.015, "steps": 3}
BOUNDS = {"epsilon": (0.001, 2.0), "alpha": (0.001, 2.0), "steps": (2, 10)}


def learn(passes: Passes, batch: Batch, *, epsilon: float, alpha: float, steps: int) -> torch.Tensor:
    """Add the mean of the gradients over the steps, of which the first is the batch as it is; so many passes."""
    attack = Attack(passes, batch)
    clean = attack.loss().total
    passes.back(clean / steps)
    gradient = attack.gathered()
    attack.start(epsilon / 2)
    for _step in range(steps - 1):
        attack.climb(gradient, alpha, epsilon)
        passes.back(attack.loss().total / steps)
        gradient = attack.gathered()
    return clean.detach()
