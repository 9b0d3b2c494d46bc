"""Mixup of embeddings (Guo et al. 2019): rows are laid over others of their batch, and so are their answers."""

from dataclasses import replace

import torch

from worker.engine.tuning.objectives.objective import Batch
from worker.engine.tuning.passes import Passes

OPTIONS = {"alpha": 0.2}
BOUNDS = {"alpha": (0.001, 10.0)}


def learn(passes: Passes, batch: Batch, *, alpha: float) -> torch.Tensor:
    """Add the gradients of a batch that is mixed with itself in another order; one pass."""
    device = passes.device
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(len(batch.features)).to(device)
    held = batch.inputs["attention_mask"]  # (rows, width)
    # A place counts where either row has a token.
    mixed = replace(batch, inputs={**batch.inputs, "attention_mask": torch.maximum(held, held[order])})
    with passes.embedded(lambda embeddings: share * embeddings + (1 - share) * embeddings[order]), passes.cast():
        passes.count += 1
        output = passes.objective.forward(passes.attached.model, mixed)
        own = passes.objective.loss(output, mixed, training=True).total
        other = passes.objective.loss(output, replace(mixed, targets=batch.targets[order]), training=True).total
    total = share * own + (1 - share) * other
    passes.back(total)
    return total.detach()
