"""What a search is told of its trials and asked to propose. Imports neither torch nor optuna."""

from dataclasses import dataclass, field
from typing import Any, Literal

from worker.engine.contracts import EngineError, require

MAX_TRIALS = 1000
MAX_OPTIONS = 20


@dataclass(frozen=True, kw_only=True)
class Span:
    """What one option may be: numbers between two bounds, or one of several values."""

    type: Literal["float", "int", "choice"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.type == "choice":
            require(len(self.choices) >= 1, "a choice needs choices")
            return
        low, high = self.bounds()
        require(low < high, "low must be below high")
        require(not self.log or low > 0, "on a logarithmic scale low must be above 0")

    def bounds(self) -> tuple[float, float]:
        """Return low and high of a span of numbers."""
        if self.low is None or self.high is None:
            raise EngineError("bad_spec", "a span of numbers needs low and high")
        return self.low, self.high


@dataclass(frozen=True, kw_only=True)
class PastTrial:
    """One trial so far. `steps` are looks at the dev part, which tell of those that were ended early."""

    params: dict[str, Any]
    state: Literal["running", "finished", "pruned", "failed"]
    value: float | None = None
    steps: list[list[float]] = field(default_factory=list)  # [step, value]


@dataclass(frozen=True, kw_only=True)
class ProposeSpec:
    """Ask for `count` sets of options that are worth a trial."""

    space: dict[str, Span]
    trials: list[PastTrial]
    count: int
    sampler: Literal["tpe", "random"] = "tpe"
    lower_is_better: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require(1 <= len(self.space) <= MAX_OPTIONS, f"a space has 1 to {MAX_OPTIONS} options")
        require(len(self.trials) <= MAX_TRIALS, f"a study has at most {MAX_TRIALS} trials")
        require(0 <= self.count <= 100, "count must be 0 to 100")
