"""What a method of tuning makes of a model: what is called, what is trained, what is saved."""

import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.tuning import registry

# Methods of one group are in one module.
MODULES = {
    "whole": "worker.engine.tuning.methods.whole",
    "low-rank": "worker.engine.tuning.methods.low_rank",
    "bottleneck": "worker.engine.tuning.methods.bottleneck",
    "prompt": "worker.engine.tuning.methods.prompts",
}
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
# What `peft` has no place for: which head the base must have, and what its numbers stand for.
PURPOSE = "tuned_for.json"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a method hears of its run."""

    task: str
    facts: Mapping[str, Any]  # of the architecture
    steps: int
    fresh: Collection[str]


class Attached(ABC):
    """A model with a method on it. `model` takes what the bare model takes and says it for the same tokens."""

    # How many tokens of the model's length the method takes for itself.
    virtual_tokens: int = 0
    padding_side: Literal["left", "right"] = "right"

    def __init__(self, base: PreTrainedModel) -> None:
        self.base = base
        self.model: Any = base
        # Parts that are trained beside what the format of the adapter itself knows as its head.
        self.heads: list[str] = []
        self.purpose: dict[str, Any] = {}

    def parameters(self) -> list[torch.nn.Parameter]:
        """Return what is trained, each once and always in the same order."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def after_step(self, step: int) -> None:  # noqa: B027  (most methods have nothing to do)
        """Hear that the optimizer has made its step of this number, from 1; gradients are still there."""

    def aux_loss(self) -> torch.Tensor | None:
        """Return what the method adds to the loss of the task, which is logged apart."""
        return None

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what is published: the model, or the adapter alone."""

    def say_purpose(self, folder: Path) -> None:
        """Write beside an adapter what it is for."""
        (folder / PURPOSE).write_text(json.dumps(self.purpose, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @abstractmethod
    def merged(self) -> PreTrainedModel | None:
        """Return a plain model that says the same, None where there is none. Training ends with it."""

    def state(self) -> dict[str, torch.Tensor]:
        """Return what training changes, by name: what a checkpoint keeps."""
        kept = self.model.state_dict()
        trained = {name for name, parameter in self.model.named_parameters() if parameter.requires_grad}
        names = trained | {name for name, _buffer in self.model.named_buffers()}
        # Cloned, because tensors that share memory cannot be saved together.
        return {name: kept[name].detach().clone().contiguous() for name in sorted(names & set(kept))}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` returned."""
        known = self.model.state_dict()
        if wrong := [name for name, tensor in state.items() if name not in known or known[name].shape != tensor.shape]:
            raise EngineError("training_failed", f"The checkpoint is of another model: {', '.join(wrong[:3])[:200]}")
        with torch.no_grad():
            for name, tensor in state.items():
                known[name].copy_(tensor)


def attach(
    model: PreTrainedModel,
    method: str,
    options: Mapping[str, Any],
    *,
    task: str,
    model_type: str,
    steps: int,
    fresh: Collection[str] = (),
) -> Attached:
    """Put a method on a model that has the head of its task.

    `steps` is how many the optimizer will make, `fresh` names tensors of the model that began with random numbers.
    """
    if reason := registry.refusal(method, model_type, task):
        raise EngineError("bad_spec", f"method {method} is not possible: {reason}")
    chosen = registry.method(method)
    module = importlib.import_module(MODULES[chosen.group])
    given = Given(task=task, facts=registry.architecture(model_type), steps=steps, fresh=fresh)
    attached: Attached = module.attach(model, method, chosen.checked(options), given)
    if not attached.parameters():
        raise EngineError("bad_spec", f"method {method} finds nothing to train in this model.")
    has_labels = task not in registry.HEADLESS
    attached.purpose = {
        "task": task,
        "labels": [str(label) for label in (model.config.id2label or {}).values()] if has_labels else None,
        "problem_type": getattr(model.config, "problem_type", None) if has_labels else None,
        "heads": attached.heads,
    }
    return attached


def body_of(model: PreTrainedModel) -> torch.nn.Module:
    """Return the part of a model that reads, without its head; a model without one is its own body."""
    body = getattr(model, model.base_model_prefix, None)
    return body if isinstance(body, torch.nn.Module) else model


def heads_of(model: PreTrainedModel, task: str) -> list[str]:
    """Return the names of the parts that are there for the task alone, poolers among them."""
    if task in registry.HEADLESS:
        return []
    body = body_of(model)
    found = []
    for name, part in model.named_children():
        parts = {name: part} if part is not body else {f"{name}.pooler": getattr(part, "pooler", None)}
        found += [path for path, head in parts.items() if head is not None and any(True for _ in head.parameters())]
    return found
