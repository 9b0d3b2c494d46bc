"""Tasks of a head that chooses one of several labels, whatever it reads. Imports no torch."""

from collections.abc import Iterator, Sequence

import numpy as np

from worker.engine.labels import resolve_labels
from worker.engine.tasks import choices
from worker.engine.tasks.choices import LabelSettings
from worker.engine.tasks.heads import HeadTask, rounded_scores, softmax
from worker.engine.tasks.task import Array, Measure, Measured, Value


class ChoiceTask(HeadTask[LabelSettings]):
    """One label of several, with a probability for each."""

    settings_type = LabelSettings
    problem_types = ("single_label_classification",)
    measures: tuple[Measure, ...] = choices.MEASURES

    def fit(self, own: list[str], settings: LabelSettings) -> list[int]:
        """Return the label of the benchmark that each output leads to."""
        return resolve_labels(own, settings.labels, settings.label_map)

    def reading(self, own: Sequence[str], positions: Sequence[int], settings: LabelSettings) -> dict[str, str]:
        """Return which label each output was read as."""
        return {name: settings.labels[position] for name, position in zip(own, positions, strict=True)}

    def answers(self, logits: Array, positions: Sequence[int], settings: LabelSettings) -> list[Value]:
        """Return the most probable label with the probability of each."""
        labels = settings.labels
        probabilities = softmax(logits)
        merged = np.zeros((len(logits), len(labels)))
        # Several labels of a model may lead to one of the benchmark; their probabilities add up.
        for own, position in enumerate(positions):
            merged[:, position] += probabilities[:, own]
        merged = np.minimum(merged, 1.0)
        return [
            {"label": labels[winner], "scores": rounded_scores(labels, scores)}
            for winner, scores in zip(merged.argmax(axis=1).tolist(), merged.tolist(), strict=True)
        ]

    def check_gold(self, value: Value, settings: LabelSettings) -> Value:
        """Return the right label."""
        return choices.check_gold(value, settings)

    def max_row_bytes(self, settings: LabelSettings) -> int:
        """Return the room for one probability a label."""
        return choices.max_row_bytes(settings)

    def check(self, value: Value, gold: Value, settings: LabelSettings) -> Value:
        """Return the chosen label and the probabilities."""
        return choices.check(value, settings)

    def digest_part(self, prediction: Value) -> str:
        """Return the label; probabilities move in the seventh digit from one machine to the next."""
        label: str = prediction["label"]
        return label

    def pretend(self, numbers: Iterator[float], question: Value, settings: LabelSettings) -> Value:
        """Return one of the labels, fairly sure."""
        return choices.pretend(numbers, settings)

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: LabelSettings) -> Measured:
        """Return the measures of a classifier."""
        return choices.measure(golds, predictions, settings)
