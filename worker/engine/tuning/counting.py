"""What the steps since the last record came to, counted into the state of a run."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from worker.engine.contracts import EngineError
from worker.engine.tuning.checkpoints import Progressed
from worker.engine.tuning.gradients import Gone
from worker.engine.tuning.objectives.objective import Batch

LOOK_EVERY = 50


class Counting:
    """Counts rows, tokens and losses of steps; losses are looked at now and then."""

    def __init__(self, at: Progressed, device: torch.device) -> None:
        self._at = at
        self._is_gpu = device.type == "cuda"
        self._losses: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def add(self, gone: Gone) -> None:
        """Count one step."""
        self._losses.append((gone.loss, gone.aux))
        # To look at a number on a GPU is to wait for it.
        if not self._is_gpu or len(self._losses) >= LOOK_EVERY:
            self.look()
        self._count(gone.batches)

    def look(self) -> None:
        """Add up the losses since the last look."""
        at = self._at
        for loss, aux in self._losses:
            at.loss += float(loss)
            at.aux_loss += 0.0 if aux is None else float(aux)
        self._losses.clear()
        if not math.isfinite(at.loss):
            raise EngineError("training_failed", "The loss is not a number any more; a lower lr may help.")

    def means(self, every: int) -> dict[str, Any]:
        """Return what the record of a step says of those since the last one."""
        self.look()
        at = self._at
        found = {
            "loss": at.loss / max(at.units, 1e-9),
            "padding": round(1 - at.tokens / max(1, at.cells), 4),
        }
        return found | ({"aux_loss": at.aux_loss / every} if at.aux_loss else {})

    def begin_anew(self) -> None:
        """Forget the steps up to a record; what all of them came to stays."""
        at = self._at
        at.loss, at.aux_loss, at.units, at.tokens, at.cells, at.rows = 0.0, 0.0, 0.0, 0, 0, 0

    def _count(self, batches: Sequence[Batch]) -> None:
        at = self._at
        at.units += sum(batch.units for batch in batches)
        for batch in batches:
            at.tokens += batch.tokens
            at.cells += batch.cells
            at.rows += len(batch.features)
            at.all_tokens += batch.tokens
            at.all_cells += batch.cells
            at.all_rows += len(batch.features)
