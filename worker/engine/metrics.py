"""Measures of a classifier, as scikit-learn defines them, and their intervals. Imports no torch.

All but calibration and log loss depend on the confusion matrix alone. Computing them from it, over any leading
dimensions, gives the bootstrap and the floors for free.
"""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Each can be the primary measure, for each has an interval.
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
CALIBRATION_BINS = 15
Z_95 = 1.959963984540054
# Resamples that are held at a time: (chunk, cells) counts.
CHUNK_NUMBERS = 4_000_000


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


def bootstrap(confusion: npt.NDArray[np.int64], *, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return a 95 % percentile interval for each measure from resampled examples.

    Drawing n examples with replacement is one multinomial draw over the cells of the confusion matrix.
    """
    size = len(confusion)
    rows, columns = np.nonzero(confusion)
    counts = confusion[rows, columns]  # (cells,)
    total = int(counts.sum())
    right = rows == columns
    # RandomState, because numpy promises that its stream never changes; the newer generators may, and with them
    # the interval of a published score.
    random = np.random.RandomState(seed)
    chunk = max(1, CHUNK_NUMBERS // max(len(counts), size))
    values: dict[str, list[Array]] = {name: [] for name in CONFUSION_METRICS}
    for start in range(0, draws, chunk):
        drawn = random.multinomial(total, counts / total, size=min(chunk, draws - start))  # (chunk, cells)
        margins: Margins = {
            "hits": _sums(drawn[:, right], rows[right], size),
            "support": _sums(drawn, rows, size),
            "predicted": _sums(drawn, columns, size),
        }
        for name, value in measures(margins).items():
            values[name].append(value)
    return {name: _percentiles(np.concatenate(parts)) for name, parts in values.items()}


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a proportion."""
    share = hits / total
    z2 = Z_95 * Z_95
    centre = share + z2 / (2 * total)
    spread = Z_95 * float(np.sqrt(share * (1 - share) / total + z2 / (4 * total * total)))
    scale = 1 + z2 / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


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


def calibration_error(scores: Array, predicted: npt.NDArray[np.intp], gold: npt.NDArray[np.intp]) -> float:
    """Return the expected calibration error over equally wide bins of confidence."""
    confidence = scores[np.arange(len(scores)), predicted]
    right = (predicted == gold).astype(np.float64)
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.intp) - 1, 0, CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(scores))


def log_loss(scores: Array, gold: npt.NDArray[np.intp]) -> float:
    """Return the mean negative logarithm of the probability given to the reference label."""
    smallest = np.finfo(np.float64).eps
    chosen = np.clip(scores[np.arange(len(scores)), gold], smallest, 1 - smallest)
    return float(-np.log(chosen).mean())


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


def _percentiles(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
