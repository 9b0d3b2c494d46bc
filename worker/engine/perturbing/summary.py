"""What a perturbation did to a model: its score, the drop with a paired interval, and how many answers changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.statistics.intervals import Interval, mean, proportion
from worker.engine.statistics.paired import Comparison, paired_bootstrap, paired_normal
from worker.engine.statistics.resampling import Array, CorpusStatistic, Whole


@dataclass(frozen=True)
class Robustness:
    """One model on the same examples, clean and perturbed."""

    n: int
    # Examples that the perturbation changed at all: a text without a digit has no wide ones.
    changed: int
    clean: float
    perturbed: float
    # Clean minus perturbed, so that a loss is above zero where more is better.
    drop: Comparison
    # Among the examples that were changed; None where none was.
    flips: Interval | None

    def as_json(self) -> dict[str, Any]:
        """Return what goes into scores.json."""
        drop, flips = self.drop, self.flips
        return {
            "n": self.n,
            "changed": self.changed,
            "clean": self.clean,
            "value": self.perturbed,
            "drop": {"value": drop.difference, "low": drop.low, "high": drop.high, "p": drop.p, "method": drop.test},
            "flip_rate": flips and {"value": flips.value, "low": flips.low, "high": flips.high, "method": flips.method},
        }


def of_items(
    clean: Array, perturbed: Array, *, flipped: Array, changed: Array, clusters: Whole | None = None
) -> Robustness:
    """Summarize a measure that has one number for each example; `flipped` and `changed` are zeros and ones."""
    drop = paired_normal(clean, perturbed, clusters)
    return Robustness(
        n=len(clean),
        changed=int(changed.sum()),
        clean=float(clean.mean()),
        perturbed=float(perturbed.mean()),
        drop=drop,
        flips=_flips(flipped, changed, clusters),
    )


def of_corpus(
    clean: CorpusStatistic,
    perturbed: CorpusStatistic,
    *,
    flipped: Array,
    changed: Array,
    draws: int,
    seed: int,
    clusters: Whole | None = None,
) -> Robustness:
    """Summarize a measure of all examples together, by the same resampled examples for both."""
    drop = paired_bootstrap(clean, perturbed, len(changed), draws=draws, seed=seed, clusters=clusters)
    return Robustness(
        n=len(changed),
        changed=int(changed.sum()),
        clean=clean.value(),
        perturbed=perturbed.value(),
        drop=drop,
        flips=_flips(flipped, changed, clusters),
    )


def differing(before: Sequence[object], after: Sequence[object]) -> Array:
    """Return a one for each pair that differs: of digest parts for answers, of texts for questions."""
    return np.array([float(old != new) for old, new in zip(before, after, strict=True)])


def _flips(flipped: Array, changed: Array, clusters: Whole | None) -> Interval | None:
    """Return the share of changed answers where the question changed; elsewhere a model has no reason to move."""
    kept = changed > 0
    if not kept.any():
        return None
    found = flipped[kept]
    if clusters is None:
        return proportion(found)
    _names, groups = np.unique(clusters[kept], return_inverse=True)
    return proportion(found, groups) if len(found) > 1 else mean(found)
