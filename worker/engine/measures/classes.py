"""Measures of a classifier, as scikit-learn defines them, and their intervals. Imports no torch.

All but calibration and log loss depend on the confusion matrix alone. Computing them from it, over any leading
dimensions, gives the resamples and the floors for free.
"""

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CONFUSION_METRICS = (
    "accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "mcc",
)
# Accuracy, and recall weighted by support, which is the same, are proportions with an interval of their own.
CORPUS_METRICS = tuple(name for name in CONFUSION_METRICS if name not in ("accuracy", "recall_weighted"))
CALIBRATION_BINS = 15


class Margins(TypedDict):
    """What the measures need of a confusion matrix; the last axis is the label."""

    hits: Array
    support: Array
    predicted: Array


def confusion_matrix(gold: npt.NDArray[np.intp], predicted: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.int64]:
    """Return counts (size, size): rows are the reference, columns the prediction."""
    return np.bincount(gold * size + predicted, minlength=size * size).reshape(size, size)


def margins_of(confusion: npt.NDArray[np.int64] | Array) -> Margins:
    """Return the diagonal, the row sums and the column sums of a confusion matrix."""
    matrix = confusion.astype(np.float64)
    return {"hits": np.diagonal(matrix).copy(), "support": matrix.sum(axis=1), "predicted": matrix.sum(axis=0)}


def per_class(margins: Margins) -> tuple[Array, Array, Array]:
    """Return precision, recall and F1 for each label; a label without a case counts 0 and is not left out.

    Left out, the same predictions would score better the fewer labels happen to occur.
    """
    precision = _ratio(margins["hits"], margins["predicted"])
    recall = _ratio(margins["hits"], margins["support"])
    f1 = _ratio(2 * margins["hits"], margins["support"] + margins["predicted"])
    return precision, recall, f1


def measures(margins: Margins) -> dict[str, Array]:
    """Return every measure in CONFUSION_METRICS, over the leading dimensions of the margins."""
    precision, recall, f1 = per_class(margins)
    support = margins["support"]
    total = support.sum(axis=-1)
    weights = support / total[..., None]
    hits = margins["hits"].sum(axis=-1)
    return {
        "accuracy": hits / total,
        "precision_macro": precision.mean(axis=-1),
        "recall_macro": recall.mean(axis=-1),
        "f1_macro": f1.mean(axis=-1),
        "precision_weighted": (precision * weights).sum(axis=-1),
        "recall_weighted": (recall * weights).sum(axis=-1),
        "f1_weighted": (f1 * weights).sum(axis=-1),
        "mcc": _mcc(hits, support, margins["predicted"], total),
    }


class Confusion:
    """Counts of reference and prediction, and the measures made of them, over all examples or over resamples."""

    def __init__(self, gold: npt.NDArray[np.intp], predicted: npt.NDArray[np.intp], size: int) -> None:
        self.counts = confusion_matrix(gold, predicted, size)
        self.margins = margins_of(self.counts)
        self._size = size
        # Examples of one cell are interchangeable, so weights are added up cell by cell.
        self._cells, inverse = np.unique(gold * size + predicted, return_inverse=True)
        self._order = np.argsort(inverse, kind="stable")
        self._starts = np.searchsorted(inverse[self._order], np.arange(len(self._cells)))
        self._last: tuple[Array, dict[str, Array]] | None = None

    def statistic(self, name: str) -> "ConfusionStatistic":
        """Return one measure as a statistic that can be resampled."""
        return ConfusionStatistic(self, name)

    def measures(self, weights: Array) -> dict[str, Array]:
        """Return every measure for weights (draws, n); several statistics ask with the same weights in turn."""
        if self._last is None or self._last[0] is not weights:
            drawn = np.add.reduceat(weights[:, self._order], self._starts, axis=1)  # (draws, cells)
            rows, columns = np.divmod(self._cells, self._size)
            right = rows == columns
            margins: Margins = {
                "hits": _sums(drawn[:, right], rows[right], self._size),
                "support": _sums(drawn, rows, self._size),
                "predicted": _sums(drawn, columns, self._size),
            }
            self._last = weights, measures(margins)
        return self._last[1]


@dataclass(frozen=True)
class ConfusionStatistic:
    """One measure of a confusion matrix."""

    table: Confusion
    name: str

    def value(self) -> float:
        """Return the measure over all examples."""
        return float(measures(self.table.margins)[self.name])

    def resampled(self, weights: Array) -> Array:
        """Return the measure (draws,) for weights (draws, n)."""
        return self.table.measures(weights)[self.name]


def chance(support: Array) -> dict[str, float]:
    """Return what guessing every label equally often gives in the long run."""
    size = len(support)
    expected = np.repeat(support[:, None] / size, size, axis=1)
    return {name: float(value) for name, value in measures(margins_of(expected)).items()}


def majority(support: Array) -> tuple[int, dict[str, float]]:
    """Return the most frequent label and what answering nothing else gives."""
    size = len(support)
    winner = int(np.argmax(support))
    constant = np.zeros((size, size))
    constant[:, winner] = support
    return winner, {name: float(value) for name, value in measures(margins_of(constant)).items()}


def calibration_bins(
    scores: Array, predicted: npt.NDArray[np.intp], gold: npt.NDArray[np.intp]
) -> list[dict[str, Any]]:
    """Return how sure the model was and how often it was right, over equally wide bins of confidence."""
    confidence = scores[np.arange(len(scores)), predicted]
    right = (predicted == gold).astype(np.float64)
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.intp) - 1, 0, CALIBRATION_BINS - 1)
    counts, sure, hits = (
        np.bincount(bins, weights=weights, minlength=CALIBRATION_BINS) for weights in (None, confidence, right)
    )
    return [
        {
            "low": position / CALIBRATION_BINS,
            "high": (position + 1) / CALIBRATION_BINS,
            "n": int(counts[position]),
            "confidence": float(sure[position] / counts[position]),
            "accuracy": float(hits[position] / counts[position]),
        }
        for position in range(CALIBRATION_BINS)
        if counts[position]
    ]


def calibration_error(scores: Array, predicted: npt.NDArray[np.intp], gold: npt.NDArray[np.intp]) -> float:
    """Return the expected calibration error over equally wide bins of confidence."""
    gaps = (row["n"] * abs(row["accuracy"] - row["confidence"]) for row in calibration_bins(scores, predicted, gold))
    return float(sum(gaps) / len(scores))


def log_losses(scores: Array, gold: npt.NDArray[np.intp]) -> Array:
    """Return the negative logarithm of the probability given to the reference label of each example."""
    smallest = np.finfo(np.float64).eps
    chosen = np.clip(scores[np.arange(len(scores)), gold], smallest, 1 - smallest)
    losses: Array = -np.log(chosen)
    return losses


def _sums(drawn: npt.NDArray[np.int64], labels: npt.NDArray[np.intp], size: int) -> Array:
    """Add up the cells (chunk, cells) of each label to (chunk, size)."""
    sums = np.zeros((len(drawn), size))
    if labels.size:
        order = np.argsort(labels, kind="stable")
        present, starts = np.unique(labels[order], return_index=True)
        sums[:, present] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return sums


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mcc(hits: Array, support: Array, predicted: Array, total: Array) -> Array:
    together = hits * total - (support * predicted).sum(axis=-1)
    spread = (total**2 - (support**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    return _ratio(np.asarray(together), np.sqrt(np.asarray(spread)))
