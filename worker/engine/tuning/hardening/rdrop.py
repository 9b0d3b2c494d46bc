"""R-Drop (Liang et al. 2021): a batch goes through twice, and what dropout makes of it must agree."""

import torch
import torch.nn.functional as F

from worker.engine.contracts import EngineError
from worker.engine.tuning.objectives.objective import Batch
from worker.engine.tuning.passes import Passes

OPTIONS = {"alpha": 1.0}
BOUNDS = {"alpha": (0.01, 10.0)}


def learn(passes: Passes, batch: Batch, *, alpha: float) -> torch.Tensor:
    """Add the gradients of the mean loss and of how far both passes are apart; two passes."""
    first, second = passes.loss(batch), passes.loss(batch)
    if first.logits is None or second.logits is None:
        raise EngineError("bad_spec", f"rdrop is not possible for {passes.objective.task.name}: it has no classes")
    mean = (first.total + second.total) / 2
    passes.back(mean + alpha * _apart(first.logits, second.logits))
    return mean.detach()


def _apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the divergence in both directions, summed over rows of logits (anything, classes)."""
    one, two = F.log_softmax(first, dim=-1), F.log_softmax(second, dim=-1)
    there = F.kl_div(two, one, log_target=True, reduction="sum")
    back = F.kl_div(one, two, log_target=True, reduction="sum")
    return (there + back) / 2
