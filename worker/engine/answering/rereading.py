"""Writing with models that keep nothing of what they read: something invented stands before it each time."""

from collections.abc import Sequence
from typing import Any

import torch

from worker.engine.load import LoadedModel


class Rereader:
    """Reads all that there is for each token that it writes."""

    def __init__(
        self, model: LoadedModel, rows: Sequence[list[int]], *, start: int | None, first_token: int | None
    ) -> None:
        """Begin; `start` is what a decoder behind an encoder begins with, None where there is no encoder."""
        self._loaded = model
        self._rows = [list(row) for row in rows]
        self._has_encoder = start is not None
        self._written: list[list[int]] = [[] if start is None else [start] for _row in rows]
        self._first_token = first_token

    def first(self) -> torch.Tensor:
        """Read the prompts."""
        numbers = self._numbers()
        if self._first_token is not None:
            others = torch.arange(numbers.shape[1], device=numbers.device) != self._first_token
            numbers = numbers.masked_fill(others, -torch.inf)
        return numbers

    def next(self, tokens: list[int]) -> torch.Tensor:
        """Go on by a token."""
        for row, token in zip(self._written, tokens, strict=True):
            row.append(token)
        return self._numbers()

    def keep(self, rows: list[int]) -> None:
        """Forget the others."""
        self._rows = [self._rows[row] for row in rows]
        self._written = [self._written[row] for row in rows]

    def _numbers(self) -> torch.Tensor:
        model: Any = self._loaded.model
        read = self._rows if self._has_encoder else [a + b for a, b in zip(self._rows, self._written, strict=True)]
        lengths = torch.tensor([len(row) for row in read])
        mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()  # (rows, width)
        ids = torch.full_like(mask, self._loaded.pad_id or 0)
        ids[mask.bool()] = torch.tensor([token for row in read for token in row])
        inputs = {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)}
        if self._has_encoder:
            inputs["decoder_input_ids"] = torch.tensor(self._written, device=model.device)
        logits = model(**inputs).logits
        found: torch.Tensor = logits[:, -1] if self._has_encoder else logits[torch.arange(len(logits)), lengths - 1]
        return found
