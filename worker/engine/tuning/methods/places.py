"""Where in a model a method adds something: layers by the ends of their paths, as `registry.toml` names them."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from worker.engine.contracts import EngineError
from worker.engine.tuning import registry

# What peft calls the kinds of tasks.
TASK_TYPES = {
    "text-classification": "SEQ_CLS",
    "text-pair-classification": "SEQ_CLS",
    "multi-label-classification": "SEQ_CLS",
    "text-regression": "SEQ_CLS",
    "token-classification": "TOKEN_CLS",
    "question-answering": "QUESTION_ANS",
    "sentence-similarity": "FEATURE_EXTRACTION",
    "text-generation": "CAUSAL_LM",
    "language-modeling": "CAUSAL_LM",
}
WRITES = ("translation", "summarization")


def task_type(task: str, facts: Mapping[str, Any]) -> str | None:
    """Return what peft calls a task; None where it has no name for it."""
    if task in WRITES:
        return "SEQ_2_SEQ_LM" if facts["family"] == "seq2seq" else "CAUSAL_LM"
    return TASK_TYPES.get(task)


def layers(model: torch.nn.Module, facts: Mapping[str, Any], roles: Iterable[str]) -> list[str]:
    """Return the full names of the layers with these roles, each once."""
    patterns = [pattern.split(".") for role in roles for pattern in facts.get(role, [])]
    named = {
        name: name.split(".")
        for name, module in model.named_modules()
        if getattr(module, "weight", None) is not None and not list(module.children())
    }
    found = [name for name, parts in named.items() if any(_ends(parts, pattern) for pattern in patterns)]
    if not found:
        raise EngineError("bad_spec", "The method finds none of the layers that it adds to in this model.")
    return found


def _ends(parts: list[str], pattern: list[str]) -> bool:
    if len(parts) < len(pattern):
        return False
    first, *rest = parts[-len(pattern) :]
    begins = first.isdigit() if pattern[0] == "#" else first == pattern[0]
    # "Attention.q" stands for SelfAttention.q and EncDecAttention.q of T5, "attn.q_proj" for self_attn.q_proj.
    begins = begins or (len(pattern) > 1 and pattern[0] != "#" and first.endswith(pattern[0]))
    return begins and rest == pattern[1:]


def roles_of(targets: str) -> tuple[str, ...]:
    """Return the roles of layers that low-rank matrices are added to."""
    attention = ("query", "key", "value", "out")
    return {"query-value": ("query", "value"), "attention": attention, "all": (*attention, "up", "down")}[targets]


def headed(task: str) -> bool:
    """Say whether a model has something on top that is there for the task alone."""
    return task not in registry.HEADLESS
