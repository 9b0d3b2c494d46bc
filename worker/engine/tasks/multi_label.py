"""A text to any number of labels, none included."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from worker.engine.contracts import require
from worker.engine.labels import resolve_labels
from worker.engine.measures import curves
from worker.engine.measures.multilabel import Assigned
from worker.engine.records import Record
from worker.engine.tasks import choices
from worker.engine.tasks.choices import LabelSettings, checked_scores
from worker.engine.tasks.heads import HeadTask, rounded_scores, sigmoid
from worker.engine.tasks.task import Array, Measure, Measured, Role, Value, bad_gold, refused


@dataclass(frozen=True, kw_only=True)
class MultiLabelSettings(LabelSettings):
    """The labels, and from which probability on a label is given."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.threshold < 1, "threshold must be between 0 and 1")


class MultiLabelClassification(HeadTask[MultiLabelSettings]):
    """Each label is decided for itself."""

    name = "multi-label-classification"
    roles = {"input": Role(default="text"), "input2": Role(required=False), "target": Role(default="labels")}
    settings_type = MultiLabelSettings
    heads = ("ForSequenceClassification",)
    problem_types = ("multi_label_classification",)
    measures = (
        Measure("f1_micro", "corpus"),
        Measure("f1_macro", "corpus", of_all_classes=True),
        Measure("f1_samples", "mean"),
        Measure("subset_accuracy", "proportion"),
        Measure("hamming_loss", "mean", lower_is_better=True, plain=True),
    )
    default_primary = "f1_micro"

    def read(self, record: Record, settings: MultiLabelSettings) -> tuple[Value, Value]:
        """Return the text, the second one where there is one, and the labels."""
        question = {"text": record.text("input")}
        if "input2" in record.columns:
            question["text2"] = record.text("input2")
        return question, {"labels": record.labels("target", settings.labels)}

    def fit(self, own: list[str], settings: MultiLabelSettings) -> list[int]:
        """Return the label of the benchmark that each output leads to."""
        return resolve_labels(own, settings.labels, settings.label_map)

    def reading(self, own: Sequence[str], positions: Sequence[int], settings: MultiLabelSettings) -> dict[str, str]:
        """Return which label each output was read as."""
        return {name: settings.labels[position] for name, position in zip(own, positions, strict=True)}

    def answers(self, logits: Array, positions: Sequence[int], settings: MultiLabelSettings) -> list[Value]:
        """Return the labels whose probability reaches the threshold, with the probability of each."""
        probabilities = sigmoid(logits)
        merged = np.zeros((len(logits), len(settings.labels)))
        for own, position in enumerate(positions):
            # Where several outputs lead to one label, any of them may give it.
            merged[:, position] = np.maximum(merged[:, position], probabilities[:, own])
        return [_answer(scores, settings) for scores in merged.tolist()]

    def check_gold(self, value: Value, settings: MultiLabelSettings) -> Value:
        """Return the right labels, each known and named once."""
        labels = value.get("labels")
        if set(value) != {"labels"} or not _are_labels(labels, settings.labels):
            raise bad_gold("it has no list of known labels")
        return value

    def max_row_bytes(self, settings: MultiLabelSettings) -> int:
        """Return the room for one probability and one mention of each label."""
        return 2 * choices.max_row_bytes(settings)

    def check(self, value: Value, gold: Value, settings: MultiLabelSettings) -> Value:
        """Return the labels and probabilities, which must say the same."""
        if set(value) != {"labels", "scores"}:
            raise refused("must have exactly id, labels and scores")
        if not _are_labels(value["labels"], settings.labels):
            raise refused("must have a list of labels that the benchmark knows, each once")
        scores = checked_scores(value["scores"], settings.labels)
        given = set(value["labels"])
        for label, score in scores.items():
            # A score on the threshold may have been rounded to either side.
            wrong = score < settings.threshold if label in given else score > settings.threshold
            if wrong and abs(score - settings.threshold) > choices.ROUNDING:
                raise refused("has labels that are not those whose score reaches the threshold")
        return {"labels": [label for label in settings.labels if label in given], "scores": scores}

    def digest_part(self, prediction: Value) -> list[str]:
        """Return the labels; probabilities move in the seventh digit from one machine to the next."""
        labels: list[str] = prediction["labels"]
        return labels

    def pretend(self, numbers: Iterator[float], question: Value, settings: MultiLabelSettings) -> Value:
        """Return some of the labels."""
        return _answer([next(numbers) for _label in settings.labels], settings)

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: MultiLabelSettings) -> Measured:
        """Return how the sets of labels agree."""
        gold = _table(golds, settings.labels)
        assigned = Assigned(gold, _table(predictions, settings.labels))
        scores = np.array([[row["scores"][label] for label in settings.labels] for row in predictions])
        return Measured(
            items={
                "f1_samples": assigned.f1_samples(),
                "subset_accuracy": assigned.exact(),
                "hamming_loss": 1 - assigned.hamming(),
            },
            corpus={"f1_micro": assigned.f1_micro(), "f1_macro": assigned.f1_macro()},
            details={
                "per_class": assigned.per_label(settings.labels),
                "curves": curves.of_labels(scores, gold, settings.labels),
            },
            floors={
                "majority": {"metrics": _constant(gold, gold.mean(axis=0) > 0.5)},
                "everything": {"metrics": _constant(gold, np.ones(gold.shape[1], dtype=bool))},
            },
        )


def _answer(scores: Sequence[float], settings: MultiLabelSettings) -> Value:
    rounded = rounded_scores(settings.labels, scores)
    given = [label for label, score in zip(settings.labels, scores, strict=True) if score >= settings.threshold]
    return {"labels": given, "scores": rounded}


def _are_labels(value: object, known: Sequence[str]) -> bool:
    """Say whether the value is a list of known labels, each at most once."""
    return (
        isinstance(value, list)
        and all(isinstance(label, str) and label in known for label in value)
        and len(set(value)) == len(value)
    )


def _table(rows: Sequence[Value], labels: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    index = {label: position for position, label in enumerate(labels)}
    table = np.zeros((len(rows), len(labels)), dtype=bool)
    for number, row in enumerate(rows):
        for label in row["labels"]:
            table[number, index[label]] = True
    return table


def _constant(
    gold: np.ndarray[tuple[int, int], np.dtype[np.bool_]], answer: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> dict[str, float]:
    """Return what the same labels for every example reach."""
    assigned = Assigned(gold, np.broadcast_to(answer, gold.shape))
    return {
        "f1_micro": assigned.f1_micro().value(),
        "f1_macro": assigned.f1_macro().value(),
        "f1_samples": float(assigned.f1_samples().mean()),
        "subset_accuracy": float(assigned.exact().mean()),
        "hamming_loss": float(1 - assigned.hamming().mean()),
    }
