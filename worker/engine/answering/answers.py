"""What a family of models hands back. Imports no torch."""

from dataclasses import dataclass, field
from typing import Any

from worker.engine.tasks.task import Value


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One prediction for each question, in their order, and what the report says of how they came about."""

    predictions: list[Value]
    report: dict[str, Any] = field(default_factory=dict)
