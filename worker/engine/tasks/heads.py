"""Tasks whose answer is made of the few numbers that a head puts on top of a text. Imports no torch."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from worker.engine.tasks.task import Array, S, Task, Value

SCORE_DIGITS = 6


class HeadTask(Task[S]):
    """A task that `answering.classifier` serves."""

    answering = "worker.engine.answering.classifier"

    @abstractmethod
    def fit(self, own: list[str], settings: S) -> list[int]:
        """Return for each output of the model which label of the benchmark it stands for, or raise `label_mismatch`."""

    @abstractmethod
    def reading(self, own: Sequence[str], positions: Sequence[int], settings: S) -> dict[str, str]:
        """Return how the outputs were read, for the report."""

    @abstractmethod
    def answers(self, logits: Array, positions: Sequence[int], settings: S) -> list[Value]:
        """Return one prediction for each row of logits (rows, outputs)."""


def softmax(logits: Array) -> Array:
    """Return probabilities (rows, outputs) that add up to one."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def sigmoid(logits: Array) -> Array:
    """Return probabilities (rows, outputs), each for itself."""
    small = np.exp(-np.abs(logits))
    probabilities: Array = np.where(logits >= 0, 1.0, small) / (1 + small)
    return probabilities


def rounded_scores(labels: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    """Return scores by label as they are written to a predictions file."""
    return {label: round(score, SCORE_DIGITS) for label, score in zip(labels, scores, strict=True)}
