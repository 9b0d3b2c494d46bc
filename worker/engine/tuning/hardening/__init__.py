"""Ways to go over a batch that make a model sturdier; each is a function `learn(passes, batch, options)`."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch

from worker.engine.contracts import EngineError
from worker.engine.tuning.contracts import Recipe
from worker.engine.tuning.objectives.objective import Batch, Objective
from worker.engine.tuning.passes import Passes

# Returns the loss (), summed over the rows as they are, when all gradients are added.
Learn = Callable[[Passes, Batch], torch.Tensor]
_HERE = "worker.engine.tuning.hardening"
MODULES = ("fgm", "pgd", "freelb", "worst_of_k", "rdrop")
# Writes texts anew, each of which has one answer as a whole.
WORST_OF_K = "worst_of_k"


def find(recipe: Recipe, objective: Objective) -> Learn:
    """Return how a batch is gone over, with every option checked."""
    if recipe.mixup > 0 and recipe.harden != "none":
        raise EngineError("bad_spec", "mixup and harden change the same rows; choose one of them")
    if recipe.mixup > 0:
        if not objective.mixable:
            raise EngineError("bad_spec", f"mixup needs rows with one answer each, which {objective.task.name} has not")
        return _bound("mixup", {"alpha": recipe.mixup})
    if recipe.harden == "none":
        return plain
    if not objective.attackable:
        raise EngineError("bad_spec", f"harden is not possible for {objective.task.name}")
    if recipe.harden == WORST_OF_K and not objective.mixable:
        raise EngineError(
            "bad_spec", f"{WORST_OF_K} needs texts with one answer each, which {objective.task.name} has not"
        )
    return _bound(recipe.harden, recipe.harden_options)


def plain(passes: Passes, batch: Batch) -> torch.Tensor:
    """Go over a batch once."""
    loss = passes.loss(batch).total
    passes.back(loss)
    return loss.detach()


def _bound(name: str, given: Mapping[str, Any]) -> Learn:
    module = importlib.import_module(f"{_HERE}.{name}")
    options = {**module.OPTIONS}
    for key, value in given.items():
        if key not in options:
            raise EngineError("bad_spec", f"{name} has no option {key[:60]}; its options are: {', '.join(options)}")
        if isinstance(value, bool) or not isinstance(value, type(options[key]) | int):
            raise EngineError("bad_spec", f"{key} of {name} must be a number")
        low, high = module.BOUNDS[key]
        if not low <= value <= high:
            raise EngineError("bad_spec", f"{key} of {name} must be {low} to {high}")
        options[key] = type(options[key])(value)
    learn: Callable[..., torch.Tensor] = module.learn

    def bound(passes: Passes, batch: Batch) -> torch.Tensor:
        return learn(passes, batch, **options)

    return bound
