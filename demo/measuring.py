"""How a model does on the dev sentences: overall, in each language and on each phenomenon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.sentences import LABELS, LANGUAGES, PHENOMENA, Sentence

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Measure:
    """Accuracy and macro-F1 over one group of sentences."""

    group: str
    n: int
    accuracy: float
    f1_macro: float


def measure(sentences: Sequence[Sentence], predicted: Mapping[str, str]) -> list[Measure]:
    """Compare predictions (id to label) with the labels, group by group."""
    groups = {EVERYTHING: list(sentences)}
    groups |= {lang: [row for row in sentences if row.lang == lang] for lang in LANGUAGES}
    groups |= {name: [row for row in sentences if row.phenomenon == name] for name in PHENOMENA}
    return [_measure(group, rows, predicted) for group, rows in groups.items()]


def _measure(group: str, sentences: Sequence[Sentence], predicted: Mapping[str, str]) -> Measure:
    pairs = [(row.label, predicted[row.id]) for row in sentences]
    right = sum(gold == answer for gold, answer in pairs)
    f1 = [_f1(pairs, label) for label in LABELS]
    return Measure(group, len(pairs), right / len(pairs), sum(f1) / len(f1))


def _f1(pairs: Sequence[tuple[str, str]], label: str) -> float:
    hits = sum(gold == answer == label for gold, answer in pairs)
    mentions = sum((gold == label) + (answer == label) for gold, answer in pairs)
    return 2 * hits / mentions if mentions else 0.0
