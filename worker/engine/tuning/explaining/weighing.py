"""How much each token of a row adds to a number that a model says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from worker.engine.load import LoadedModel
from worker.engine.tuning.explaining.asked import Asked, Score

# Rows that go through the model at once.
ROWS = 16


@dataclass(frozen=True)
class Weighed:
    """What the words add, and how far the sum of it is from what it should be."""

    weights: list[float]  # of each word
    score: float  # what the model says of the whole question
    nothing: float  # and of one in which every word is hidden
    # Integrated gradients add up to the difference of both but for this; what hiding shows adds up to nothing.
    delta: float | None


def by_gradients(model: LoadedModel, asked: Asked, score: Score, steps: int) -> Weighed:
    """Integrated gradients (Sundararajan and others, 2017), from a question whose words are hidden to the whole one.

    Points and their shares are those of Gauss and Legendre, with which few steps are exact enough.
    """
    ids = asked.inputs["input_ids"]
    table: Any = model.model.get_input_embeddings()
    with torch.no_grad():
        whole, nothing = table(ids), table(hidden(model, asked))  # (1, tokens, size)
    points, shares = np.polynomial.legendre.leggauss(steps)
    points, shares = (points + 1) / 2, shares / 2
    summed = torch.zeros_like(whole[0])
    for start in range(0, steps, ROWS):
        part = torch.tensor(points[start : start + ROWS], dtype=whole.dtype)[:, None, None]  # (rows, 1, 1)
        between = (nothing + part * (whole - nothing)).requires_grad_()  # (rows, tokens, size)
        with torch.enable_grad(), _embedded(table, between):
            total = score(model.model(**asked.repeated(len(part)))).sum()
            [gradient] = torch.autograd.grad(total, between)
        share = torch.tensor(shares[start : start + ROWS], dtype=whole.dtype)[:, None, None]
        summed += (gradient * share).sum(dim=0)
    added = (summed * (whole - nothing)[0]).sum(dim=-1).double()  # (tokens,)
    with torch.no_grad():
        at_end = float(score(model.model(**asked.inputs)))
        at_start = float(score(model.model(**{**asked.inputs, "input_ids": hidden(model, asked)})))
    weights = [float(added[list(word.tokens)].sum()) for word in asked.words]
    return Weighed(weights, at_end, at_start, abs(float(added.sum()) - (at_end - at_start)))


def by_occlusion(model: LoadedModel, asked: Asked, score: Score) -> Weighed:
    """Hide one word after the other: what the number falls by is what the word adds."""
    ids = asked.inputs["input_ids"]
    filler = filler_of(model)
    rows = ids.repeat(len(asked.words), 1)  # (words, tokens)
    for row, word in enumerate(asked.words):
        rows[row, list(word.tokens)] = filler
    said: list[float] = []
    with torch.inference_mode():
        whole = float(score(model.model(**asked.inputs)))
        nothing = float(score(model.model(**{**asked.inputs, "input_ids": hidden(model, asked)})))
        for start in range(0, len(rows), ROWS):
            part = rows[start : start + ROWS]
            said += score(model.model(**{**asked.repeated(len(part)), "input_ids": part})).tolist()
    return Weighed([whole - without for without in said], whole, nothing, None)


def hidden(model: LoadedModel, asked: Asked) -> torch.Tensor:
    """Return the row (1, tokens) with every word hidden; the tokens around the texts stay."""
    ids = asked.inputs["input_ids"].clone()
    ids[:, [place for word in asked.words for place in word.tokens]] = filler_of(model)
    return ids


def filler_of(model: LoadedModel) -> int:
    """Return what stands for a word that is hidden: the token that was trained for it, or the one least said."""
    for token in (model.tokenizer.mask, model.pad_id, model.tokenizer.eos):
        if token is not None and token < model.vocab_size:
            return token
    return 0


@contextmanager
def _embedded(table: Any, vectors: torch.Tensor) -> Iterator[None]:
    """Have tokens embedded as these vectors (rows, tokens, size) within this block."""
    hook = table.register_forward_hook(lambda _table, _ids, _output: vectors)
    try:
        yield
    finally:
        hook.remove()
