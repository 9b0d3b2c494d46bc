"""What goes into the verbs `pool`, `pick` and `fill`. Imports no torch.

`pool` reads the rows that have no answer yet, `doubt` (an EvaluateSpec) lets a model answer them, `pick` says which of
them a person should answer, and `fill` writes what people answered into the file.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from worker.engine.contracts import require

TASKS = (
    "text-classification",
    "text-pair-classification",
    "multi-label-classification",
    "token-classification",
)
MAX_POOL = 20_000
MAX_PICKED = 1000
MAX_KNOWN = 2000  # rows with an answer that what is asked should differ from
MAX_CHARACTERS = 8000  # of a row that a person can be asked about
MAX_WORDS = 400
POOL, KNOWN, POOL_REPORT = "pool.jsonl", "known.jsonl", "pool.json"

Order = Literal["margin", "entropy", "spread"]


@dataclass(frozen=True, kw_only=True)
class PoolSpec:
    """Read the rows of a file that have no answer, at most `most` of them, and those that have one to compare with."""

    task: str
    file: str
    out_dir: str
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    most: int = MAX_POOL
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.task in TASKS, f"task must be one of: {', '.join(TASKS)}")
        require(1 <= self.most <= MAX_POOL, f"most must be 1 to {MAX_POOL}")


@dataclass(frozen=True, kw_only=True)
class PickSpec:
    """Choose `count` rows of the pool: those that the model is least sure of, and no two that say nearly the same.

    Without predictions there is no doubt to go by, and rows are chosen that differ most.
    """

    task: str
    pool: str
    known: str
    out: str
    count: int
    settings: dict[str, Any] = field(default_factory=dict)
    predictions: str | None = None
    order: Order = "margin"
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.task in TASKS, f"task must be one of: {', '.join(TASKS)}")
        require(1 <= self.count <= MAX_PICKED, f"count must be 1 to {MAX_PICKED}")
        require((self.predictions is None) == (self.order == "spread"), "only “spread” goes without predictions")


@dataclass(frozen=True, kw_only=True)
class FillSpec:
    """Write answers into the rows of a file that have none; every other line stays as it is, to the last byte.

    `answers` has lines of {"line", "question", "value"}. A row that moved is found by its text; one that is gone, or
    that somebody answered meanwhile, is counted and left alone.
    """

    task: str
    file: str
    answers: str
    out: str
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        require(self.task in TASKS, f"task must be one of: {', '.join(TASKS)}")
