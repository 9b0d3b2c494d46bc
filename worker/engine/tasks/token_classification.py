"""Words of a sentence to tags of entities, by strict IOB2."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from worker.engine.contracts import check_labels, require
from worker.engine.labels import resolve_labels
from worker.engine.measures import entities
from worker.engine.records import Record
from worker.engine.tasks.task import Measure, Measured, Role, Task, Value, bad_gold, refused

MAX_WORDS = 4096


@dataclass(frozen=True, kw_only=True)
class TagSettings:
    """The tags of a benchmark, O among them, and which tag of the model leads to which of them."""

    labels: list[str]
    label_map: dict[str, str] | None = field(default=None)

    def __post_init__(self) -> None:
        check_labels(self.labels)
        require(entities.OUTSIDE in self.labels, "labels must hold O, the tag of words outside every entity")
        require(
            all(entities.is_tag(label) for label in self.labels),
            "labels must be tags of IOB2: O, and B- and I- with the name of a type",
        )
        require(bool(entities.types_of(self.labels)), "labels must hold the tags of at least one type of entity")

    @property
    def types(self) -> list[str]:
        """The types of entities."""
        return entities.types_of(self.labels)


class TokenClassification(Task[TagSettings]):
    """Named entities and other spans of words."""

    name = "token-classification"
    roles = {"input": Role(default="tokens"), "target": Role(default="tags")}
    settings_type = TagSettings
    heads = ("ForTokenClassification",)
    answering = "worker.engine.answering.tagger"
    measures = (
        Measure("f1_entities", "corpus"),
        Measure("precision_entities", "corpus"),
        Measure("recall_entities", "corpus"),
        Measure("f1_types", "corpus"),
        Measure("sentence_accuracy", "proportion"),
    )
    default_primary = "f1_entities"

    def read(self, record: Record, settings: TagSettings) -> tuple[Value, Value]:
        """Return the words, and a tag for each."""
        words = record.texts("input", most=MAX_WORDS)
        tags = record.tags("target", settings.labels)
        if len(tags) != len(words):
            raise record.bad("target", f"has {len(tags)} tags for {len(words)} words")
        return {"tokens": words}, {"tags": tags}

    def fit(self, own: list[str], settings: TagSettings) -> list[str]:
        """Return the tag of the benchmark that each output of the model leads to."""
        return [settings.labels[position] for position in resolve_labels(own, settings.labels, settings.label_map)]

    def check_gold(self, value: Value, settings: TagSettings) -> Value:
        """Return the right tags, each known."""
        if set(value) != {"tags"} or not _are_tags(value["tags"], settings.labels) or not value["tags"]:
            raise bad_gold("it has no list of known tags")
        return value

    def max_row_bytes(self, settings: TagSettings) -> int:
        """Return the room for one tag a word."""
        return 4096 + MAX_WORDS * (8 + 12 * max(map(len, settings.labels)))

    def check(self, value: Value, gold: Value, settings: TagSettings) -> Value:
        """Return the tags, one for each word."""
        if set(value) != {"tags"}:
            raise refused("must have exactly id and tags")
        if not _are_tags(value["tags"], settings.labels):
            raise refused("must have a list of tags that the benchmark knows")
        if len(value["tags"]) != len(gold["tags"]):
            raise refused(f"must have {len(gold['tags'])} tags, one for each word")
        return value

    def digest_part(self, prediction: Value) -> list[str]:
        """Return the tags."""
        tags: list[str] = prediction["tags"]
        return tags

    def pretend(self, numbers: Iterator[float], question: Value, settings: TagSettings) -> Value:
        """Return any of the tags for each word."""
        labels = settings.labels
        return {"tags": [labels[int(next(numbers) * len(labels))] for _word in question["tokens"]]}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: TagSettings) -> Measured:
        """Return how many entities were found, in all and of each type."""
        wanted = [row["tags"] for row in golds]
        found = entities.compare(wanted, [row["tags"] for row in predictions], settings.types)
        nothing = entities.compare(wanted, [[entities.OUTSIDE] * len(tags) for tags in wanted], settings.types)
        return Measured(
            items={"sentence_accuracy": found.exact()},
            corpus={
                "f1_entities": found.f1(),
                "precision_entities": found.precision(),
                "recall_entities": found.recall(),
                "f1_types": found.f1_macro(),
            },
            details={"per_type": found.per_type()},
            floors={
                "majority": {
                    "label": entities.OUTSIDE,
                    "metrics": {
                        "f1_entities": 0.0,
                        "precision_entities": 0.0,
                        "recall_entities": 0.0,
                        "f1_types": 0.0,
                        "sentence_accuracy": float(np.mean(nothing.exact())),
                    },
                }
            },
        )


def _are_tags(value: object, labels: Sequence[str]) -> bool:
    known = set(labels)
    return isinstance(value, list) and all(isinstance(tag, str) and tag in known for tag in value)
