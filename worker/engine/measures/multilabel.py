"""Any number of labels for each example."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engine.measures.ratios import f1_of, precision_of, recall_of
from worker.engine.statistics.resampling import Array, OfSums


@dataclass(frozen=True)
class Assigned:
    """Which labels (columns) the reference and the model give to each example (rows)."""

    gold: npt.NDArray[np.bool_]
    predicted: npt.NDArray[np.bool_]

    def exact(self) -> Array:
        """Return 1 for each example whose labels are all right: subset accuracy."""
        return np.asarray((self.gold == self.predicted).all(axis=1), dtype=np.float64)

    def hamming(self) -> Array:
        """Return the share of right decisions for each example: 1 - Hamming loss."""
        return np.asarray((self.gold == self.predicted).mean(axis=1), dtype=np.float64)

    def f1_samples(self) -> Array:
        """Return the F1 of each example's set of labels; two empty sets are equal and give 1."""
        counts = self._counts()
        sums = counts.sum(axis=1)
        empty = (sums[:, 1] == 0) & (sums[:, 2] == 0)
        return np.where(empty, 1.0, f1_of(sums))

    def f1_micro(self) -> OfSums:
        """Return F1 over all decisions."""
        return OfSums(self._counts().sum(axis=1), f1_of)

    def f1_macro(self) -> OfSums:
        """Return the mean of the labels' F1; a label without a case counts 0 and is not left out."""
        counts = self._counts()
        size, labels, _ = counts.shape
        return OfSums(
            counts.reshape(size, labels * 3),
            lambda sums: np.asarray(f1_of(sums.reshape(*sums.shape[:-1], labels, 3)).mean(axis=-1)),
        )

    def per_label(self, labels: list[str]) -> list[dict[str, Any]]:
        """Return precision, recall and F1 of each label."""
        sums = self._counts().sum(axis=0)  # (labels, 3)
        return [
            {
                "label": label,
                "precision": float(precision_of(row)),
                "recall": float(recall_of(row)),
                "f1": float(f1_of(row)),
                "support": int(row[2]),
                "predicted": int(row[1]),
            }
            for label, row in zip(labels, sums, strict=True)
        ]

    def _counts(self) -> Array:
        """Return right, predicted and wanted (n, labels, 3)."""
        return np.stack([self.gold & self.predicted, self.predicted, self.gold], axis=2).astype(np.float64)
