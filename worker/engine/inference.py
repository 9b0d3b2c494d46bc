"""Token ids to logits: sorted by length, batched by a token budget, handed back in the order of the rows."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from worker.engine.batching import budget_on, plan_batches
from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as, is_out_of_memory
from worker.engine.load import LoadedModel
from worker.engine.tokenizing import Tokens

Logits = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def predict_logits(
    classifier: LoadedModel, tokens: Sequence[Tokens], *, budget: int, done: Callable[[int], None] = lambda rows: None
) -> Logits:
    """Return one row of logits (rows, labels) for each tokenised text; `done` hears how many rows are answered."""
    logits = np.empty((len(tokens), len(classifier.config.labels)), dtype=np.float64)

    def answer(batch: list[int]) -> None:
        logits[batch] = forward(classifier, [tokens[index] for index in batch])

    run_batches(classifier, [len(row.ids) for row in tokens], answer, budget=budget, done=done)
    check_finite(logits)
    return logits


def run_batches(
    model: LoadedModel,
    lengths: Sequence[int],
    answer: Callable[[list[int]], None],
    *,
    budget: int,
    done: Callable[[int], None] = lambda rows: None,
) -> None:
    """Have rows answered in batches of like length."""
    # Decoders pool the last token that is not padding; without an id for padding their code takes one row at a time.
    alone = model.config.is_decoder and model.pad_id is None
    room = budget_on(model.device.type, budget)
    run_planned(model.device, plan_batches(lengths, room, max_rows=1 if alone else None), answer, done=done)


def run_planned(
    device: torch.device,
    batches: list[list[int]],
    answer: Callable[[list[int]], None],
    *,
    done: Callable[[int], None] = lambda rows: None,
    questions: str = "texts",
) -> None:
    """Have these batches answered, those that are too large for a GPU in halves."""
    with (
        torch.inference_mode(),
        failing_as("inference_failed", f"The model fails on the {questions} of the benchmark."),
    ):
        for answered in in_halves(device, batches, answer):
            done(answered)


def in_halves(device: torch.device, batches: Sequence[list[int]], answer: Callable[[list[int]], None]) -> Iterator[int]:
    """Have batches answered, and yield how many rows are. Where a GPU has too little memory for one, all are halved."""
    left, answered = list(batches), 0
    while left:
        try:
            answer(left[0])
        except Exception as error:
            if not (is_out_of_memory(error) and device.type == "cuda" and len(left[0]) > 1):
                raise
        else:
            answered += len(left.pop(0))
            yield answered
            continue
        # Outside of the handler, whose error holds what the model had computed.
        torch.cuda.empty_cache()
        # The others were planned for as much memory.
        left = [half for batch in left for half in _halves(batch)]


def _halves(batch: list[int]) -> list[list[int]]:
    middle = len(batch) // 2
    return [half for half in (batch[:middle], batch[middle:]) if half]


def check_finite(rows: Logits) -> None:
    """Raise when a row (rows, ...) holds NaN or infinity."""
    finite = np.isfinite(rows.reshape(len(rows), -1)).all(axis=1)
    if not finite.all():
        raise EngineError(
            "non_finite_scores",
            f"The model answers NaN or infinity (to {int((~finite).sum())} of {len(rows)} texts). Its weights are "
            "damaged or overflow in this dtype; check them for NaN, and try float32.",
        )


def forward(classifier: LoadedModel, rows: Sequence[Tokens]) -> Logits:
    """Return the logits (rows, labels), or (rows, tokens, labels) of a tagger, of one padded batch."""
    logits: Logits = output(classifier, rows).logits.double().cpu().numpy()
    return logits


def output(model: LoadedModel, rows: Sequence[Tokens]) -> Any:
    """Return what the model says of one padded batch, as it says it."""
    width = max(len(row.ids) for row in rows)
    ids, mask = _padded([row.ids for row in rows], width, model.pad_id or 0)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.type_vocab_size > 1:
        types, _mask = _padded([row.type_ids for row in rows], width, 0)
        if int(types.max()) >= model.type_vocab_size:
            raise EngineError("tokenizer_mismatch", "The tokenizer marks more segments than the model knows.")
        inputs["token_type_ids"] = types
    return model.model(**{name: torch.from_numpy(table).to(model.device) for name, table in inputs.items()})


def _padded(rows: Sequence[Sequence[int]], width: int, filler: int) -> tuple[Whole, Whole]:
    """Return rows as one table (rows, width), and ones where it holds them; tensors row by row cost many calls."""
    lengths = np.array([len(row) for row in rows])
    held = np.arange(width) < lengths[:, None]
    table = np.full((len(rows), width), filler, dtype=np.int64)
    table[held] = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=int(lengths.sum()))
    return table, held.astype(np.int64)
