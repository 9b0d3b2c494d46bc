"""What families of models of images share: batches of one size, and pixels that are made when they are needed."""

from collections.abc import Sequence

import numpy as np
import torch

from worker.engine.batching import budget_on, plan_batches
from worker.engine.images import from_question
from worker.engine.load_vision import LoadedVision
from worker.engine.tasks.task import Value

# A patch of 16 x 16 pixels counts as a token of a text does.
PATCH = 16


def plan(model: LoadedVision, questions: Sequence[Value], budget: int) -> list[list[int]]:
    """Return batches of images that are made ready to the same size: padding would change what a model sees."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, value in enumerate(questions):
        by_size.setdefault(model.processor.size_of(value["height"], value["width"]), []).append(index)
    batches, room = [], budget_on(model.device.type, budget)
    for height, width in sorted(by_size, key=lambda size: (-size[0] * size[1], size)):
        rows = by_size[height, width]
        patches = max(1, height * width // PATCH**2)
        batches += [[rows[place] for place in batch] for batch in plan_batches([patches] * len(rows), room)]
    return batches


def pixels_of(model: LoadedVision, questions: Sequence[Value]) -> torch.Tensor:
    """Return the images of a batch (rows, channels, height, width): only these are decoded at a time."""
    rows = [model.processor(from_question(value)) for value in questions]
    return torch.from_numpy(np.stack(rows)).to(model.device, model.model.dtype)
