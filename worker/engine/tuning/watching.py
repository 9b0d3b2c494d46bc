"""Speeds, memory and scores of a run while it goes on."""

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.objectives.objective import Row

MEGABYTE = 1 << 20


class Watch:
    """A clock that stands still while the run does something else than learning."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._learned = 0.0
        self._since = time.monotonic()
        self._marked = 0.0
        self._steps = 0
        self._rows = 0
        self._tokens = 0
        self._evaluation = 0.0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    @property
    def seconds(self) -> float:
        """Return the seconds of this attempt that went into learning."""
        return self._learned + time.monotonic() - self._since

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the clock stand still."""
        self._learned = self.seconds
        try:
            yield
        finally:
            self._since = time.monotonic()

    def speeds(self, rows: int, tokens: int) -> dict[str, float]:
        """Return rows and tokens a second since this was asked the last time."""
        self._rows += rows
        self._tokens += tokens
        seconds = self.seconds
        passed, self._marked = max(seconds - self._marked, 1e-9), seconds
        return {"examples_per_second": round(rows / passed, 2), "tokens_per_second": round(tokens / passed, 1)}

    def stepped(self) -> None:
        """Hear that a step is done."""
        self._steps += 1

    def evaluated(self, seconds: float) -> None:
        """Hear how long the dev set took."""
        self._evaluation = seconds

    def left(self, steps: int, evaluations: float) -> float:
        """Return the seconds that are left."""
        return round(steps * self.seconds / max(1, self._steps) + evaluations * self._evaluation, 1)

    def memory(self) -> dict[str, float]:
        """Return what is held now, in megabytes."""
        found = {"rss_mb": round(_resident() / MEGABYTE, 1)}
        if self._device.type == "cuda":
            found["gpu_mb"] = round(torch.cuda.max_memory_allocated(self._device) / MEGABYTE, 1)
        return found

    def overall(self) -> dict[str, float]:
        """Return the speeds of the whole attempt."""
        seconds = max(self.seconds, 1e-9)
        return {
            "learning_seconds": round(seconds, 2),
            "examples_per_second": round(self._rows / seconds, 2),
            "tokens_per_second": round(self._tokens / seconds, 1),
        }


def metrics_of(task: Task[Any], settings: Any, rows: Sequence[Row], predictions: Sequence[Value]) -> dict[str, float]:
    """Return the numbers of an evaluation, without their intervals."""
    golds = [row.gold for row in rows]
    checked = [task.check(value, gold, settings) for value, gold in zip(predictions, golds, strict=True)]
    measured = task.measure(golds, checked, settings)
    found: dict[str, float] = {name: float(np.mean(values)) for name, values in measured.items.items()}
    found |= {name: float(statistic.value()) for name, statistic in measured.corpus.items()}
    found |= {name: float(value) for name, value in measured.values.items()}
    order = [measure.name for measure in task.measures]
    return {name: found[name] for name in order if name in found and np.isfinite(found[name])}


def _resident() -> int:
    """Return the memory that this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()
