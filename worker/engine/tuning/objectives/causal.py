"""What decoders learn: the next token, of whole texts or of answers alone, in rows of their own or several packed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from worker.engine.contracts import EngineError
from worker.engine.load import LoadedModel
from worker.engine.tasks.task import Task
from worker.engine.tuning.basis import Basis
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.objective import IGNORED, Batch, Feature, Ids, Loss, padded
from worker.engine.tuning.objectives.texts import TextObjective

# Blocks that are filled at a time, so that many texts find a place without a look at all blocks.
OPEN_BLOCKS = 64
PACKED_NOTE = (
    "Texts are packed into blocks in which each sees itself alone. On a processor this was measured at a third of the "
    "speed of batches of like length; it is worth its price where a GPU would stand idle."
)


class Piece(NamedTuple):
    """A text in a block: how long it is, and which of its tokens are to be predicted."""

    length: int
    wanted: list[tuple[int, int]]


class Causal(TextObjective):
    """Rows of tokens (rows, width), each predicted from those before it."""

    attackable = stretchable = True

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        assert basis.config is not None
        # As evaluations know a model.
        self.loaded = LoadedModel(
            model=basis.model, device=basis.device, parameters=0, weights_bytes=0, unused_tensors=[],
            tokenizer=self.tokenizer, config=basis.config, load_seconds=0.0,
        )  # fmt: skip

    def feature(self, row: int, ids: Sequence[int], *wanted: int | tuple[int, int]) -> Feature:
        """Return a text of which the tokens from a place on, or in some parts, are to be predicted.

        The very first never is: there is nothing before it.
        """
        parts = [(part, len(ids)) if isinstance(part, int) else part for part in wanted]
        parts = [(max(1, first), last) for first, last in parts]
        return Feature(
            row=row,
            ids=np.array(ids, dtype=np.int32),
            length=len(ids) + self.virtual_tokens,
            target=[Piece(len(ids), parts)],
            units=float(sum(max(0, last - first) for first, last in parts)),
        )

    def packed(self, features: Sequence[Feature]) -> list[Feature]:
        """Return blocks as long as the model reads, each filled with whole texts."""
        if self.virtual_tokens:
            raise EngineError("bad_spec", "packing does not go with invented tokens: turn it off, or choose lora")
        self.basis.notes.append(PACKED_NOTE)
        blocks: list[list[Feature]] = []
        waiting: list[list[Feature]] = []
        for feature in sorted(features, key=lambda feature: -feature.length):
            place = next((block for block in waiting if _size(block) + feature.length <= self.max_length), None)
            if place is None:
                waiting = [*waiting[-OPEN_BLOCKS + 1 :], []]
                place = waiting[-1]
                blocks.append(place)
            place.append(feature)
        return [_block(block) for block in blocks]

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return rows and which of their tokens are to be predicted (rows, width)."""
        inputs, tokens = self.table(features)
        ids = inputs["input_ids"]
        targets = [_targets(feature) for feature in features]
        places, held = padded(targets, filler=0, side=self.padding_side, width=ids.shape[1])
        wanted = (places * held).bool().to(ids.device)
        if any(len(feature.target) > 1 for feature in features):
            inputs |= self._apart(features, ids)
        return Batch(
            features=features,
            inputs=inputs,
            targets=ids.masked_fill(~wanted, IGNORED),
            tokens=tokens,
            cells=ids.numel(),
        )

    def _apart(self, features: Sequence[Feature], ids: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return positions that begin anew with each text, and a mask (rows, 1, width, width) that keeps them apart."""
        width = ids.shape[1]
        numbers = np.full((len(features), width), -1, dtype=np.int64)
        positions = np.zeros((len(features), width), dtype=np.int64)
        for row, feature in enumerate(features):
            lengths = [piece.length for piece in feature.target]
            numbers[row, : sum(lengths)] = np.repeat(np.arange(len(lengths)), lengths)
            positions[row, : sum(lengths)] = np.concatenate([np.arange(length) for length in lengths])
        of = torch.from_numpy(numbers).to(ids.device)
        before = torch.ones((width, width), dtype=torch.bool, device=ids.device).tril()
        seen = (of[:, :, None] == of[:, None, :]) & before  # (rows, width, width)
        dtype = self.basis.model.dtype
        mask = torch.zeros(seen.shape, dtype=dtype, device=ids.device).masked_fill(~seen, torch.finfo(dtype).min)
        return {"attention_mask": mask[:, None], "position_ids": torch.from_numpy(positions).to(ids.device)}

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the cross-entropy of the tokens that are to be predicted."""
        logits = output.logits[:, :-1].float()  # (rows, width - 1, vocabulary)
        total = functional.cross_entropy(
            logits.flatten(0, 1),
            batch.targets[:, 1:].flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.recipe.label_smoothing if training else 0.0,
            reduction="sum",
        )
        return Loss(total=total)

    def ends(self) -> list[int]:
        """Return the token that ends a text, as a list; an empty one where nothing names it."""
        stated = getattr(self.basis.settings, "eos_token_id", None)
        first = stated[0] if isinstance(stated, list) and stated else stated
        end = self.tokenizer.eos if type(first) is not int else first
        return [] if end is None else [end]


def _size(block: Sequence[Feature]) -> int:
    return sum(feature.length for feature in block)


def _block(features: Sequence[Feature]) -> Feature:
    return Feature(
        row=features[0].row,
        ids=np.concatenate([feature.ids for feature in features]),
        length=_size(features),
        target=[piece for feature in features for piece in feature.target],
        units=sum(feature.units for feature in features),
    )


def _targets(feature: Feature) -> Ids:
    """Return ones at the tokens that are to be predicted (tokens,)."""
    wanted = np.zeros(len(feature.ids), dtype=np.int32)
    at = 0
    for piece in feature.target:
        for first, last in piece.wanted:
            wanted[at + first : at + last] = 1
        at += piece.length
    return wanted
