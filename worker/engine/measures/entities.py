"""Entities in tagged tokens, by strict IOB2: an entity is right when its type and both its ends are.

The lenient reading that is the default elsewhere lets an I- open an entity, and calls `I-PER O` right for `B-PER O`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from worker.engine.measures.ratios import f1_of, precision_of, recall_of
from worker.engine.statistics.resampling import Array, OfSums

OUTSIDE = "O"


class Entity(NamedTuple):
    """A type and the tokens from start up to, not including, end."""

    type: str
    start: int
    end: int


@dataclass(frozen=True)
class Found:
    """What was found in each sentence: columns are right ones, predicted ones, ones of the reference."""

    counts: Array  # (sentences, 3)
    by_type: dict[str, Array]  # type to (sentences, 3)

    def precision(self) -> OfSums:
        """Return how many of the predicted entities are right."""
        return OfSums(self.counts, precision_of)

    def recall(self) -> OfSums:
        """Return how many entities of the reference were found."""
        return OfSums(self.counts, recall_of)

    def f1(self) -> OfSums:
        """Return the micro-averaged F1 over all types."""
        return OfSums(self.counts, f1_of)

    def f1_macro(self) -> OfSums:
        """Return the mean of the types' F1; a type that neither side has counts 0."""
        columns = np.concatenate(list(self.by_type.values()), axis=1)
        types = len(self.by_type)
        return OfSums(columns, lambda sums: np.asarray(f1_of(sums.reshape(*sums.shape[:-1], types, 3)).mean(axis=-1)))

    def exact(self) -> Array:
        """Return 1 for each sentence whose entities are all right and none too many."""
        right, predicted, wanted = self.counts.T
        return np.asarray((right == predicted) & (right == wanted), dtype=np.float64)

    def per_type(self) -> list[dict[str, Any]]:
        """Return precision, recall and F1 of each type."""
        rows = []
        for name, counts in self.by_type.items():
            sums = counts.sum(axis=0)
            rows.append(
                {
                    "type": name,
                    "precision": float(precision_of(sums)),
                    "recall": float(recall_of(sums)),
                    "f1": float(f1_of(sums)),
                    "support": int(sums[2]),
                    "predicted": int(sums[1]),
                }
            )
        return rows


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """Return the entities of one sentence: each opens with B- and goes on with I- of the same type."""
    found: list[Entity] = []
    kind, start = "", -1
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, name = tag.partition("-")
        if start >= 0 and not (prefix == "I" and name == kind):
            found.append(Entity(kind, start, place))
            start = -1
        if prefix == "B":
            kind, start = name, place
    return found


def types_of(tags: Sequence[str]) -> list[str]:
    """Return the types that a set of tags names, in order."""
    return list(dict.fromkeys(tag.partition("-")[2] for tag in tags if tag[:2] in ("B-", "I-")))


def is_tag(tag: str) -> bool:
    """Say whether this is a tag of IOB2."""
    return tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2)


def compare(golds: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], types: Sequence[str]) -> Found:
    """Count entities, tag sequences against tag sequences; entities of a type that is not named are not counted."""
    by_type = {name: np.zeros((len(golds), 3)) for name in types}
    for sentence, (gold, predicted) in enumerate(zip(golds, predictions, strict=True)):
        wanted, answered = set(entities_of(gold)), set(entities_of(predicted))
        for column, entities in enumerate((wanted & answered, answered, wanted)):
            for entity in entities:
                if entity.type in by_type:
                    by_type[entity.type][sentence, column] += 1
    counts = sum(by_type.values(), np.zeros((len(golds), 3)))
    return Found(counts, by_type)
