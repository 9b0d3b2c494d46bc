"""By which number the best weights of a run are chosen. Imports no torch."""

import math
from collections.abc import Mapping
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.tasks.task import Task

# A metric that every kind of task has.
LOSS = "loss"


class Choice:
    """A metric of the task, and the loss where it says the same."""

    def __init__(self, task: Task[Any], wanted: str | None) -> None:
        known = [*(measure.name for measure in task.measures), LOSS]
        self.metric = wanted or task.default_primary
        if self.metric not in known:
            raise EngineError("bad_spec", f"recipe.metric must be one of: {', '.join(known)}")
        lower = self.metric == LOSS or task.measure_of(self.metric).lower_is_better
        self._sign = -1.0 if lower else 1.0

    def value(self, metrics: Mapping[str, float], loss: float | None) -> float | None:
        """Return the number that decides."""
        return loss if self.metric == LOSS else metrics.get(self.metric)

    def is_better(self, value: float | None, loss: float | None, best: Mapping[str, Any]) -> bool:
        """Say whether an evaluation is better than the best one so far, an empty one where there is none."""
        return not best or self._rank(value, loss) > self._rank(best["value"], best["loss"])

    def _rank(self, value: float | None, loss: float | None) -> tuple[float, float]:
        """Return what is compared: of evaluations that are equally right, the one that is surer of it is better."""
        known = -math.inf if value is None or not math.isfinite(value) else self._sign * value
        return known, -math.inf if loss is None or not math.isfinite(loss) else -loss
