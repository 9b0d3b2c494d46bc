"""What was written is run, and what it says compared with what the model says."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.engine.answering import greedy
from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.load import LoadedModel
from worker.engine.tuning.compressing.stand_ins import OnnxModel, session_of
from worker.engine.tuning.exporting.graphs import Graph, Shape, Tensors
from worker.engine.tuning.exporting.samples import batch_of, shapes_for

# Of full precision: the largest difference, as a share of the largest number.
TOLERANCE = 1e-4
PROMPTS = ((5, 9, 3, 7), (4,), (8, 6, 11, 5, 10, 3, 9))
WRITTEN = 12


def compare(graph: Graph, model: LoadedModel, path: Path, *, seed: int, threads: int) -> dict[str, Any]:
    """Run a file on several shapes with padding and return how far its outputs are from the model's own."""
    session = session_of(path, threads)
    draw = torch.Generator().manual_seed(seed)
    shapes = shapes_for(graph, model)
    worst, largest, alike, rows = 0.0, 0.0, 0, 0
    for shape in shapes:
        batch = batch_of(graph, model, shape, draw)
        wanted = _outputs(graph, batch)
        with failing_as("export_failed", f"{path.name} fails on {shape.rows} rows of {shape.tokens} tokens."):
            found = session.run(None, graph.named(batch))
        for name, one, other in zip(graph.outputs, wanted, found, strict=True):
            mine, theirs = (_visible(graph, name, values, batch[1].numpy(), shape) for values in (one, other))
            if not mine.size:
                continue
            if not np.isfinite(theirs).all():
                raise EngineError("export_failed", f"{path.name} gives NaN or infinity")
            worst = max(worst, float(np.abs(mine - theirs).max()))
            largest = max(largest, float(np.abs(mine).max()))
            if not name.startswith("present."):
                alike += int((mine.argmax(axis=-1) == theirs.argmax(axis=-1)).sum())
                rows += int(np.prod(mine.shape[:-1]))
    return {
        "shapes": [[shape.rows, shape.tokens, shape.past] for shape in shapes],
        "max_abs_difference": worst,
        "max_relative_difference": worst / max(largest, 1e-12),
        "same_winner": alike / max(1, rows),
    }


def same_tokens(model: LoadedModel, path: Path, *, threads: int) -> bool:
    """Say whether a file with a cache writes the same tokens as the model, for prompts of several lengths at once."""
    stand_in: Any = OnnxModel(session_of(path, threads), model.config.config)
    prompts = [[token % model.vocab_size for token in prompt] for prompt in PROMPTS]
    written = []
    for writer in (model.model, stand_in):
        with torch.inference_mode(), failing_as("export_failed", f"{path.name} fails while it writes."):
            decoder = greedy.Decoder(writer, prompts, filler=model.pad_id or 0)
            written.append(greedy.write(decoder, len(prompts), most=WRITTEN, ends=frozenset(), stops=lambda ids: False))
    return written[0] == written[1]


def _outputs(graph: Graph, batch: Tensors) -> list[np.ndarray[Any, Any]]:
    with torch.inference_mode():
        said = graph.module(*batch)
    return [tensor.float().numpy() for tensor in (said if isinstance(said, tuple) else (said,))]


def _visible(
    graph: Graph, name: str, values: np.ndarray[Any, Any], mask: np.ndarray[Any, Any], shape: Shape
) -> np.ndarray[Any, Any]:
    """Return what stands for tokens of a text (numbers, last axis); what is said of padding means nothing."""
    values = values.astype(np.float32)
    visible: np.ndarray[Any, Any] = values
    if name.startswith("present."):  # (rows, heads, total, width)
        visible = values.transpose(0, 2, 1, 3)[mask == 1]
    elif graph.axes[name].get(1) == "sequence":
        held = mask[:, shape.past :] == 1  # (rows, tokens)
        # Of logits of beginning and end a row is what is compared; of others a token.
        visible = values[held] if values.ndim == 3 else np.where(held, values, 0.0)
    return visible
