"""Worst of k: each row is learned as it is, and mistyped in the one of k ways that the model answers worst.

An attack on the text instead of on its embeddings, in the manner of Engstrom et al. (2019), who drew k changes too.
With k = 1 it is plain augmentation. The exported script does the same, step by step.
"""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch

from worker.engine.perturbing.draws import generator
from worker.engine.perturbing.letters import slip
from worker.engine.tuning.objectives.objective import Batch, Feature, Row
from worker.engine.tuning.passes import Passes

OPTIONS = {"count": 4, "share": 0.2}
BOUNDS = {"count": (1, 16), "share": (0.01, 0.9)}
FIELDS = ("text", "text2")


def learn(passes: Passes, batch: Batch, *, count: int, share: float) -> torch.Tensor:
    """Add half of the gradients of both; two passes, and one more for each form where there is a choice."""
    turn = passes.count  # a number that no other batch has, also of a run that goes on
    clean = passes.loss(batch).total
    passes.back(clean / 2)
    forms = [_mistyped(passes, batch, share, (turn, number)) for number in range(count)]
    worst = passes.objective.collate(_worst(passes, forms) if count > 1 else forms[0], training=True)
    passes.back(passes.loss(worst).total / 2)
    return clean.detach()


def _mistyped(passes: Passes, batch: Batch, share: float, key: tuple[int, int]) -> list[Feature]:
    """Return the features of a batch with slips in a share of the words, or of the characters, of each row."""
    rows = []
    for feature in batch.features:
        row = passes.rows[feature.row]
        rng = generator(passes.objective.spec.seed, "worst_of_k", *map(str, (*key, feature.row)))
        texts = {name: slip(row.question[name], rng, share) for name in FIELDS if name in row.question}
        rows.append(Row({**row.question, **texts}, row.gold))
    made = passes.objective.encode(rows, training=False)
    return [replace(new, row=old.row) for new, old in zip(made, batch.features, strict=True)]


def _worst(passes: Passes, forms: Sequence[Sequence[Feature]]) -> list[Feature]:
    """Return for each row the form with the largest loss by its label, without dropout."""
    passes.attached.model.eval()
    losses = torch.stack([_losses(passes, features) for features in forms])  # (forms, rows)
    passes.attached.model.train()
    return [forms[number][place] for place, number in enumerate(losses.argmax(dim=0).tolist())]


def _losses(passes: Passes, features: Sequence[Feature]) -> torch.Tensor:
    """Return the loss of each row (rows,)."""
    objective = passes.objective
    batch = objective.collate(features, training=True)
    passes.count += 1
    with torch.no_grad(), passes.cast():
        logits = objective.forward(passes.attached.model, batch).logits
        return torch.stack([_loss_of_row(objective, logits, batch, place) for place in range(len(features))])


def _loss_of_row(objective: Any, logits: torch.Tensor, batch: Batch, place: int) -> torch.Tensor:
    one = replace(batch, features=[batch.features[place]], targets=batch.targets[place : place + 1])
    loss: torch.Tensor = objective.loss(SimpleNamespace(logits=logits[place : place + 1]), one, training=False).total
    return loss
