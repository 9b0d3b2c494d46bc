"""The numbers of single examples, which tests need. They tell which answers are right: nobody is shown them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leaderboard.models import Evaluation
from models_hub import contents
from worker.engine.statistics.resampling import Array, Whole

MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Items:
    """The ids of the examples in the order of the benchmark, and a number of each for some metrics."""

    ids: list[str]
    metrics: Mapping[str, Array]
    clusters: Whole | None = None  # which examples hang together


class Reader:
    """Reads the items of evaluations for one page, each once, until as many bytes are read as a page may."""

    def __init__(self, most: int = 4 * MAX_BYTES) -> None:
        self._left = most
        self._known: dict[int, Items | None] = {}

    def of(self, evaluation: Evaluation) -> Items | None:
        """Return the items of an evaluation, None where there are none or they are too large to be read here."""
        if evaluation.pk not in self._known:
            self._known[evaluation.pk] = self._read(evaluation)
        return self._known[evaluation.pk]

    def _read(self, evaluation: Evaluation) -> Items | None:
        blob = evaluation.items
        if blob is None or blob.size > min(MAX_BYTES, self._left):
            return None
        self._left -= blob.size
        return _parsed(b"".join(contents.stream(blob)))


def _parsed(data: bytes) -> Items | None:
    try:
        found: Any = json.loads(data)
        ids = [str(one) for one in found["ids"]]
        metrics = {str(name): np.asarray(values, dtype=np.float64) for name, values in found["metrics"].items()}
        clusters = np.asarray(found["clusters"], dtype=np.intp) if found.get("clusters") is not None else None
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    whole = {name: values for name, values in metrics.items() if values.shape == (len(ids),)}
    if not ids or (clusters is not None and clusters.shape != (len(ids),)):
        return None
    return Items(ids, {name: values for name, values in whole.items() if np.isfinite(values).all()}, clusters)
