"""What a round of a run hears of the rounds before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.engine.tuning.objectives.objective import Row


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What rounds of the same run before this one came to."""

    seq: int = 0
    seconds: float = 0.0
    steps: int = 0
    rows: Sequence[Row] = ()  # that the model labelled itself
    done: float = 0.0  # share of the run
    share: float = 1.0  # of the run that this round is
    told: Mapping[str, Any] = field(default_factory=dict)  # what the summary says beside
