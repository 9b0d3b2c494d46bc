"""Batches that a graph is tried on: of several shapes, padded, with and without what was read before."""

import torch

from worker.engine.load import LoadedModel
from worker.engine.tuning.exporting.graphs import Graph, Shape, Tensors

# One row, one token, more of both than the graph was made from, and what a cache holds.
SHAPES = (
    Shape(rows=1, tokens=1),
    Shape(rows=1, tokens=7),
    Shape(rows=2, tokens=12),
    Shape(rows=3, tokens=24),
    Shape(rows=5, tokens=40),
)
WRITER_SHAPES = (
    *SHAPES,
    Shape(rows=1, tokens=1, past=6),
    Shape(rows=3, tokens=1, past=11),
    Shape(rows=2, tokens=4, past=5),
)
MADE_FROM = Shape(rows=2, tokens=9)
WRITER_MADE_FROM = Shape(rows=2, tokens=9, past=4)


def shapes_for(graph: Graph, model: LoadedModel) -> list[Shape]:
    """Return the shapes that a model has positions for."""
    longest = model.config.position_limit
    return [
        Shape(rows=shape.rows, tokens=min(shape.tokens, longest), past=shape.past)
        for shape in (WRITER_SHAPES if graph.cache else SHAPES)
        if shape.past + 1 <= longest
    ]


def batch_of(graph: Graph, model: LoadedModel, shape: Shape, draw: torch.Generator) -> Tensors:
    """Return random arguments of a graph; rows after the first are padded, ever more of them."""
    size = (shape.rows, shape.tokens)
    pad = model.pad_id or 0
    ids = torch.randint(0, model.vocab_size, size, generator=draw)
    # Models such as RoBERTa count positions by where the padding stands.
    ids[ids == pad] = (pad + 1) % model.vocab_size
    padding = torch.arange(shape.rows) % max(1, (shape.tokens + 1) // 2)  # (rows,)
    places = torch.arange(shape.tokens)
    if graph.cache:
        return _with_cache(graph, model, shape, ids, padding, draw)
    mask = (places[None, :] < (shape.tokens - padding)[:, None]).long()
    batch = [torch.where(mask == 1, ids, pad), mask]
    if "token_type_ids" in graph.inputs:
        batch.append((torch.randint(0, 2, size, generator=draw) * mask).long())
    return tuple(batch)


def _with_cache(
    graph: Graph, model: LoadedModel, shape: Shape, ids: torch.Tensor, padding: torch.Tensor, draw: torch.Generator
) -> Tensors:
    total = shape.past + shape.tokens
    mask = (torch.arange(total)[None, :] >= padding[:, None]).long()  # filled up on the left
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, shape.past :]
    past = [
        torch.randn((shape.rows, heads, shape.past, width), generator=draw)
        for heads, width in graph.cache
        for _part in ("key", "value")
    ]
    return (torch.where(mask[:, shape.past :] == 1, ids, model.pad_id or 0), mask, positions, *past)
