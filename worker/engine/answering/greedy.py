"""Writing token by token, always the likeliest one, for many rows at a time; what was read is kept, not read again.

Our own loop rather than transformers' `generate`, whose defaults a model's generation_config.json may change.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import torch
from transformers import DynamicCache, EncoderDecoderCache, PreTrainedModel

from worker.engine.contracts import EngineError

Stopped = Literal["end", "stop", "length"]


class Writer(Protocol):
    """Rows that are being written; (rows, vocabulary) numbers say how likely each next token is."""

    def first(self) -> torch.Tensor:
        """Read what there is and return the numbers for the first token."""

    def next(self, tokens: list[int]) -> torch.Tensor:
        """Take a token for each row and return the numbers for the one after it."""

    def keep(self, rows: list[int]) -> None:
        """Forget all but these rows."""


def write(
    writer: Writer, rows: int, *, most: int, ends: frozenset[int], stops: Callable[[list[int]], bool]
) -> list[tuple[list[int], Stopped]]:
    """Return the tokens of each row and why they end: at a token that ends texts, at a stop text, or at their number.

    A row that has ended is taken out, so that the others do not wait for it.
    """
    written: list[list[int]] = [[] for _ in range(rows)]
    stopped: list[Stopped] = ["length"] * rows
    active = list(range(rows))
    numbers = writer.first()
    while True:
        tokens = _likeliest(numbers)
        going = []
        for place, row in enumerate(active):
            if tokens[place] in ends:
                stopped[row] = "end"
                continue
            written[row].append(tokens[place])
            if stops(written[row]):
                stopped[row] = "stop"
            elif len(written[row]) < most:
                going.append(place)
        if not going:
            return list(zip(written, stopped, strict=True))
        if len(going) < len(active):
            writer.keep(going)
            active = [active[place] for place in going]
        numbers = writer.next([tokens[place] for place in going])


class Decoder:
    """A model that goes on from a prompt: rows (rows, width) end together, filled up on their left."""

    def __init__(self, model: PreTrainedModel, prompts: Sequence[list[int]], *, filler: int) -> None:
        width = max(map(len, prompts))
        self._ids = torch.full((len(prompts), width), filler, dtype=torch.long)
        self._mask = torch.zeros((len(prompts), width), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            self._ids[row, width - len(prompt) :] = torch.tensor(prompt)
            self._mask[row, width - len(prompt) :] = 1
        self._ids, self._mask = self._ids.to(model.device), self._mask.to(model.device)
        self._model: Any = model
        self._cache = DynamicCache(config=model.config)

    def first(self) -> torch.Tensor:
        """Read the prompts."""
        return self._forward(self._ids, (self._mask.cumsum(dim=1) - 1).clamp(min=0))

    def next(self, tokens: list[int]) -> torch.Tensor:
        """Go on by a token."""
        ids = torch.tensor(tokens, device=self._mask.device)[:, None]
        self._mask = torch.cat([self._mask, torch.ones_like(ids)], dim=1)
        return self._forward(ids, self._mask.sum(dim=1, keepdim=True) - 1)

    def keep(self, rows: list[int]) -> None:
        """Forget the others."""
        kept = torch.tensor(rows, device=self._mask.device)
        self._cache.batch_select_indices(kept)
        self._mask = self._mask[kept]

    def _forward(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        found = self._model(
            input_ids=ids, attention_mask=self._mask, position_ids=positions, cache=self._cache, use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        last: torch.Tensor = found.logits[:, -1]
        return last


class EncoderDecoder:
    """A model whose encoder reads rows (rows, width), filled up on their right, and whose decoder starts anew."""

    def __init__(
        self,
        model: PreTrainedModel,
        sources: Sequence[list[int]],
        *,
        filler: int,
        start: int,
        first_token: int | None,
        never: int | None,
    ) -> None:
        width = max(map(len, sources))
        self._ids = torch.full((len(sources), width), filler, dtype=torch.long)
        self._mask = torch.zeros((len(sources), width), dtype=torch.long)
        for row, source in enumerate(sources):
            self._ids[row, : len(source)] = torch.tensor(source)
            self._mask[row, : len(source)] = 1
        self._ids, self._mask = self._ids.to(model.device), self._mask.to(model.device)
        self._model: Any = model
        self._cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        self._start, self._first_token, self._never = start, first_token, never
        self._read: Any = None

    def first(self) -> torch.Tensor:
        """Read the sources and begin to write."""
        self._read = self._model.get_encoder()(input_ids=self._ids, attention_mask=self._mask, return_dict=True)
        numbers = self.next([self._start] * len(self._ids))
        if self._first_token is not None:
            others = torch.arange(numbers.shape[1], device=numbers.device) != self._first_token
            numbers = numbers.masked_fill(others, -torch.inf)
        return numbers

    def next(self, tokens: list[int]) -> torch.Tensor:
        """Go on by a token."""
        found = self._model(
            attention_mask=self._mask, encoder_outputs=self._read, cache=self._cache, use_cache=True,
            decoder_input_ids=torch.tensor(tokens, device=self._mask.device)[:, None],
        )  # fmt: skip
        numbers: torch.Tensor = found.logits[:, -1]
        if self._never is not None:
            numbers[:, self._never] = -torch.inf
        return numbers

    def keep(self, rows: list[int]) -> None:
        """Forget the others."""
        kept = torch.tensor(rows, device=self._mask.device)
        self._cache.batch_select_indices(kept)
        self._mask = self._mask[kept]
        self._read.last_hidden_state = self._read.last_hidden_state[kept]


def _likeliest(numbers: torch.Tensor) -> list[int]:
    """Return the likeliest token of each row; the first of equals."""
    most, tokens = numbers.float().max(dim=-1)
    if not torch.isfinite(most).all():
        raise EngineError(
            "non_finite_scores",
            "The model answers NaN or infinity. Its weights are damaged or overflow in this dtype; check them for NaN, "
            "and try float32.",
        )
    found: list[int] = tokens.tolist()
    return found
