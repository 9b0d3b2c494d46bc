"""Moves of embeddings that make a loss greater: how far, and in which direction. Shares are of the length of a row."""

import torch

from worker.engine.tuning.objectives.objective import Batch, Loss
from worker.engine.tuning.passes import Passes


class Attack:
    """What is added to the embeddings (rows, width, size) of a batch; nothing at first."""

    def __init__(self, passes: Passes, batch: Batch) -> None:
        self._passes = passes
        self._batch = batch
        self._held = batch.inputs["attention_mask"]  # (rows, width)
        self._added: torch.Tensor | None = None
        # How long the rows are as they stand (rows, 1, 1).
        self._length: torch.Tensor | None = None

    def loss(self) -> Loss:
        """Go through the model with what is added now, whose gradient is kept."""
        with self._passes.embedded(self._move):
            return self._passes.loss(self._batch)

    def start(self, share: float) -> None:
        """Begin at a random place so far from the row."""
        assert self._added is not None
        assert self._length is not None
        noise = self._inside(torch.rand_like(self._added) * 2 - 1)
        self._added = (share * self._length * noise / _size(noise)).requires_grad_()

    def climb(self, gradient: torch.Tensor, step: float, most: float | None = None) -> None:
        """Go a step uphill, and no further from the row than `most`."""
        assert self._added is not None
        assert self._length is not None
        moved = self._added.detach() + step * self._length * self._inside(gradient) / _size(self._inside(gradient))
        if most is not None:
            moved = moved * (most * self._length / _size(moved)).clamp(max=1.0)
        self._added = moved.requires_grad_()

    def gradient(self, loss: Loss) -> torch.Tensor:
        """Return where the loss rises, without a gradient for the model."""
        assert self._added is not None
        [found] = torch.autograd.grad(self._passes.scaler.scale(loss.total), self._added)
        return found

    def gathered(self) -> torch.Tensor:
        """Return the same from the way back that was just gone."""
        assert self._added is not None
        assert self._added.grad is not None
        return self._added.grad

    def _move(self, embeddings: torch.Tensor) -> torch.Tensor:
        if self._added is None:
            self._added = torch.zeros_like(embeddings, requires_grad=True)
            self._length = _size(self._inside(embeddings.detach()))
        return embeddings + self._added

    def _inside(self, values: torch.Tensor) -> torch.Tensor:
        """Return values with zeros where rows are filled up."""
        return values * self._held[:, -values.shape[1] :, None]


def _size(values: torch.Tensor) -> torch.Tensor:
    """Return the length of each row's values (rows, 1, 1), never zero."""
    size: torch.Tensor = torch.linalg.vector_norm(values.float().flatten(1), dim=1).clamp(min=1e-12)
    return size[:, None, None].to(values.dtype)
