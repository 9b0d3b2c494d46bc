"""One batch through the model and back, in the precision of the run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from worker.engine.contracts import EngineError
from worker.engine.tuning.contracts import Precision
from worker.engine.tuning.methods.method import Attached
from worker.engine.tuning.objectives.objective import Batch, Loss, Objective, Row

Change = Callable[[torch.Tensor], torch.Tensor]


class Passes:
    """Passes of a model that is being trained, counted; what embeds its tokens may be changed on the way."""

    def __init__(self, attached: Attached, objective: Objective, precision: Precision) -> None:
        self.attached = attached
        self.objective = objective
        self.device = objective.basis.device
        self.dtype = dtype_of(precision, self.device)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)
        # What a sum over a batch is divided by: how much the rows of a usual step count.
        self.usual = 1.0
        self.count = 0
        # The training rows by their numbers, for what writes them anew.
        self.rows: Sequence[Row] = ()
        self._change: Change | None = None
        self._hooked = False

    def loss(self, batch: Batch) -> Loss:
        """Go through the model."""
        self.count += 1
        with self.cast():
            output = self.objective.forward(self.attached.model, batch)
            return self.objective.loss(output, batch, training=True)

    def back(self, total: torch.Tensor) -> None:
        """Go back through it: gradients are added to those that are there."""
        torch.autograd.backward(self.scaler.scale(total / self.usual))

    def cast(self) -> Any:
        """Return the precision in which the model counts."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not torch.float32)

    @contextmanager
    def embedded(self, change: Change) -> Iterator[None]:
        """Have the embeddings (rows, width, size) of all tokens changed in the passes of this block."""
        if not self._hooked:
            embeddings: Any = self.objective.basis.model.get_input_embeddings()
            embeddings.register_forward_hook(self._embed)
            self._hooked = True
        self._change = change
        try:
            yield
        finally:
            self._change = None

    def _embed(self, _module: Any, _inputs: Any, output: torch.Tensor) -> torch.Tensor | None:
        return None if self._change is None else self._change(output)


def dtype_of(precision: Precision, device: torch.device) -> torch.dtype:
    """Return what a run counts in; on a processor float32 was measured the fastest."""
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if precision == "float16" and device.type != "cuda":
        raise EngineError("bad_spec", "precision float16 needs a GPU; take auto, float32 or bfloat16")
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
