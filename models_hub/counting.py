"""What is counted of a model, not claimed: from the headers of its weights, and from config.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Counts:
    """What the files of one revision are, by their own headers; None and "" where nothing could be read.

    `memory_bytes` is what the smallest complete set of weights takes when loaded as it is stored.
    """

    architecture: str = ""
    model_type: str = ""
    context_length: int | None = None
    vocabulary: int | None = None
    parameters: int | None = None
    dtypes: dict[str, int] = field(default_factory=dict)
    formats: list[str] = field(default_factory=list)
    precisions: list[str] = field(default_factory=list)
    memory_bytes: int | None = None
    counted: dict[str, Any] = field(default_factory=dict)


def whole(config: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these fields that holds a number such as a model may have."""
    return next((config[name] for name in names if type(config.get(name)) is int and 0 < config[name] < 2**40), None)
