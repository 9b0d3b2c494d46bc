"""Whether a model that says 80 % is right in 80 of 100 cases."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from worker.engine.statistics.resampling import Array

BINS = 15
Bins = Literal["equal_width", "equal_mass"]


def reliability(confidence: Array, right: Array, kind: Bins = "equal_width", size: int = BINS) -> list[dict[str, Any]]:
    """Return how sure the model was and how often right, bin by bin; empty bins are left out."""
    places = _equal_width(confidence, size) if kind == "equal_width" else _equal_mass(confidence, size)
    rows = []
    for place in np.unique(places):
        chosen = places == place
        rows.append(
            {
                "low": float(confidence[chosen].min()) if kind == "equal_mass" else float(place / size),
                "high": float(confidence[chosen].max()) if kind == "equal_mass" else float((place + 1) / size),
                "n": int(chosen.sum()),
                "confidence": float(confidence[chosen].mean()),
                "accuracy": float(right[chosen].mean()),
            }
        )
    return rows


def expected_error(confidence: Array, right: Array, kind: Bins = "equal_width", size: int = BINS) -> float:
    """Return the mean gap between sureness and hits, weighted by the examples of each bin (Naeini 2015)."""
    rows = reliability(confidence, right, kind, size)
    return float(sum(row["n"] * abs(row["accuracy"] - row["confidence"]) for row in rows) / len(confidence))


def brier(probabilities: Array, gold: npt.NDArray[np.intp]) -> Array:
    """Return each example's squared distance of its probabilities (n, labels) from the truth, from 0 to 2."""
    truth = np.zeros_like(probabilities)
    truth[np.arange(len(gold)), gold] = 1.0
    return np.asarray(((probabilities - truth) ** 2).sum(axis=1))


def _equal_width(confidence: Array, size: int) -> npt.NDArray[np.intp]:
    """Return bins that hold their upper end: (0, 1/size] and so on; 0 goes to the first."""
    return np.clip(np.ceil(confidence * size).astype(np.intp) - 1, 0, size - 1)


def _equal_mass(confidence: Array, size: int) -> npt.NDArray[np.intp]:
    """Return bins of as equal a number of examples as can be; those of equal confidence stay together."""
    order = np.argsort(confidence, kind="stable")
    places = np.empty(len(confidence), dtype=np.intp)
    places[order] = np.arange(len(confidence)) * size // len(confidence)
    _, first, inverse = np.unique(confidence[order], return_index=True, return_inverse=True)
    places[order] = places[order][first][inverse]
    return places
