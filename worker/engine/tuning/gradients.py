"""The gradients of one step: its rows, as they are written in this epoch, through the model and back.

Where memory runs out, or an operation has no form that gives the same numbers each time, the step begins again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from worker.engine.failures import is_out_of_memory
from worker.engine.repeating import cannot_repeat, repeating
from worker.engine.tuning.batches import Stride
from worker.engine.tuning.log import Log
from worker.engine.tuning.objectives.objective import Batch, Feature
from worker.engine.tuning.ready import Ready

UNSTEADY_NOTE = (
    "This device has no repeatable form of one of the operations: the same seed may give slightly other numbers."
)


@dataclass(frozen=True)
class Gone:
    """What a step went through."""

    batches: list[Batch]
    loss: torch.Tensor  # (), summed over the rows
    aux: torch.Tensor | None  # ()


class Gradients:
    """Adds up the gradients of a step."""

    def __init__(self, ready: Ready, log: Log) -> None:
        self._ready = ready
        self._log = log
        self._device = ready.basis.device
        # The most cells of a batch that fit into the memory of a GPU, once that is known.
        self._most_cells: int | None = None
        # Whether every operation so far had a form that gives the same numbers each time.
        self._repeats = True

    def add(self, stride: Stride) -> Gone:
        """Go over the rows of a step; all gradients are there afterwards.

        Where memory runs out the whole step begins again with smaller batches: their sum is the same.
        """
        ready = self._ready
        while True:
            cells = 0
            try:
                done: list[Batch] = []
                losses, aux = [], None
                with repeating(always=self._repeats):
                    for features in self._pieces(stride):
                        batch = ready.objective.collate(features, training=True)
                        cells = batch.cells
                        if ready.masking:
                            ready.masking.mask(batch)
                        losses.append(ready.learn(ready.passes, batch))
                        done.append(batch)
                    extra = ready.attached.aux_loss()
                    if extra is not None:
                        torch.autograd.backward(ready.passes.scaler.scale(extra))
                        aux = extra.detach()
                return Gone(done, torch.stack(losses).sum(), aux)
            except Exception as error:
                if not self._can_try_again(error, stride, cells // 2):
                    raise
            for parameter in ready.parameters:
                parameter.grad = None
            if self._device.type == "cuda":
                torch.cuda.empty_cache()

    def _can_try_again(self, error: Exception, stride: Stride, cells: int) -> bool:
        """Make the next try another one, where that may help."""
        if self._repeats and cannot_repeat(error):
            self._repeats = False
            self._log.write("note", text=UNSTEADY_NOTE)
            return True
        can_split = self._ready.objective.splittable and cells > 0 and self._device.type == "cuda"
        if is_out_of_memory(error) and can_split and self._splits(stride, cells):
            self._log.write("note", text="Memory ran out; batches are cut smaller, and the steps stay what they are.")
            return True
        return False

    def _splits(self, stride: Stride, cells: int) -> bool:
        before, self._most_cells = len(self._pieces(stride)), cells
        return len(self._pieces(stride)) > before

    def _pieces(self, stride: Stride) -> list[list[Feature]]:
        pieces = [self._features(batch, stride.epoch) for batch in stride.batches]
        if self._most_cells is None:
            return pieces
        found = []
        for piece in pieces:
            rows = max(1, self._most_cells // max(feature.length for feature in piece))
            found += [piece[start : start + rows] for start in range(0, len(piece), rows)]
        return found

    def _features(self, batch: Sequence[int], epoch: int) -> list[Feature]:
        """Return what is read of these rows, or copies of rows, in this epoch."""
        features, augmented = self._ready.features, self._ready.augmented
        places = [divmod(number, len(features)) for number in batch]
        found = [features[place] for _copy, place in places]
        if augmented is None:
            return found
        rows = [augmented.row(epoch, features[place].row, copy) for copy, place in places]
        changed = {at: row for at, row in enumerate(rows) if row is not None}
        encoded = self._ready.objective.encode(list(changed.values()), training=False) if changed else []
        for at, made in zip(changed, encoded, strict=True):
            # What was written otherwise may have nothing left to learn from.
            found[at] = replace(made, row=found[at].row) if made.units else found[at]
        return found
