"""How alike two texts are, by the cosine of their vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.measures.correlation import Spearman, pearson
from worker.engine.records import Record
from worker.engine.tasks import lexical
from worker.engine.tasks.numeric import LARGEST, ROW_BYTES, TOLERANCE, is_number, parts_of
from worker.engine.tasks.task import Array, Measure, Measured, Role, Task, Value, bad_gold, refused

DIGITS = 6
# A cosine may be off by what float32 rounds.
FURTHEST = 1.0001


@dataclass(frozen=True, kw_only=True)
class SimilaritySettings:
    """Nothing can be chosen."""


class SentenceSimilarity(Task[SimilaritySettings]):
    """Pairs of texts to the cosine of their vectors, compared with what people said."""

    name = "sentence-similarity"
    roles = {
        "input": Role(default="sentence1"),
        "input2": Role(default="sentence2"),
        "target": Role(default="score"),
    }
    settings_type = SimilaritySettings
    heads = ("Model",)
    answering = "worker.engine.answering.similarity"
    measures = (
        Measure("spearman", "corpus", plain=True, tolerance=TOLERANCE),
        Measure("pearson", "corpus", plain=True, tolerance=TOLERANCE),
    )
    default_primary = "spearman"

    def read(self, record: Record, settings: SimilaritySettings) -> tuple[Value, Value]:
        """Return the pair, and how alike it is on whatever scale."""
        value = record.real("target")
        if abs(value) > LARGEST:
            raise record.bad("target", f"must be a number of at most {LARGEST:g}")
        return {"text": record.text("input"), "text2": record.text("input2")}, {"value": value}

    def finish(
        self,
        ids: Sequence[str],
        questions: Sequence[Value],
        golds: Sequence[Value],
        extra: Mapping[str, Sequence[Value]],
        settings: SimilaritySettings,
    ) -> list[Value]:
        """Add how alike the characters are: chance is no floor where texts on the same things share words."""
        found = lexical.similarities([row["text"] for row in questions], [row["text2"] for row in questions])
        if found is None:
            return list(golds)
        return [{**gold, "overlap": overlap} for gold, overlap in zip(golds, found.tolist(), strict=True)]

    def check_gold(self, value: Value, settings: SimilaritySettings) -> Value:
        """Return the right number, and the overlap where it was computed."""
        if not {"value"} <= set(value) <= {"value", "overlap"} or not all(map(is_number, value.values())):
            raise bad_gold("it has no number")
        return {name: float(number) for name, number in value.items()}

    def max_row_bytes(self, settings: SimilaritySettings) -> int:
        """Return the room for one number."""
        return ROW_BYTES

    def check(self, value: Value, gold: Value, settings: SimilaritySettings) -> Value:
        """Return the cosine."""
        if set(value) != {"similarity"}:
            raise refused("must have exactly id and similarity")
        if not is_number(value["similarity"]) or abs(value["similarity"]) > FURTHEST:
            raise refused("has a similarity that is not a number from -1 to 1")
        return {"similarity": round(float(value["similarity"]), DIGITS)}

    def digest_part(self, prediction: Value) -> str:
        """Return the cosine to two digits: more of them would move with the size of a batch."""
        return f"{prediction['similarity'] + 0.0:.2f}".replace("-0.00", "0.00")

    def pretend(self, numbers: Iterator[float], question: Value, settings: SimilaritySettings) -> Value:
        """Return any cosine that is not negative."""
        return {"similarity": round(next(numbers), DIGITS)}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: SimilaritySettings) -> Measured:
        """Return how the cosines follow the reference."""
        gold = np.array([row["value"] for row in golds], dtype=np.float64)
        predicted = np.array([row["similarity"] for row in predictions], dtype=np.float64)
        floors: dict[str, Any] = {"constant": {"metrics": {"spearman": 0.0, "pearson": 0.0}}}
        if all("overlap" in row for row in golds):
            overlap = np.array([row["overlap"] for row in golds], dtype=np.float64)
            found = {"spearman": Spearman(gold, overlap).value(), "pearson": pearson(gold, overlap).value()}
            floors["characters"] = {"metrics": found}
        return Measured(
            corpus={"spearman": Spearman(gold, predicted), "pearson": pearson(gold, predicted)},
            details={"by_similarity": _by_similarity(gold, predicted)},
            floors=floors,
        )


def _by_similarity(gold: Array, predicted: Array) -> list[dict[str, Any]]:
    """Return the cosines over equally wide parts of the reference; no single example can be read off it."""
    return [
        {
            "low": low,
            "high": high,
            "n": int(inside.sum()),
            "mean": float(predicted[inside].mean()),
            "deviation": float(predicted[inside].std()),
        }
        for low, high, inside in parts_of(gold)
    ]
