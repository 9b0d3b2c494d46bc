"""Questions to answers in a model's own words: the same text, or the same number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.engine.measures.text_answers import exact_match, normalised, number_in, same_number
from worker.engine.measures.text_overlap import chrf
from worker.engine.tasks.task import Measure, Measured, Role, Value
from worker.engine.tasks.writing import WritingSettings, WritingTask


@dataclass(frozen=True, kw_only=True)
class GenerationSettings(WritingSettings):
    """How answers are compared, beside how they are asked for."""

    ignore_case: bool = True
    ignore_punctuation: bool = True


class TextGeneration(WritingTask[GenerationSettings]):
    """Short answers and sums.

    `number_match` is there where every reference comes to a number, chrF where not: the one says nothing of words, the
    other nothing of sums.
    """

    name = "text-generation"
    roles = {"input": Role(default="question"), "target": Role(default="answer")}
    settings_type = GenerationSettings
    measures = (
        Measure("exact_match", "proportion"),
        Measure("number_match", "proportion", optional=True),
        Measure("chrf", "corpus", optional=True),
    )
    default_primary = "exact_match"

    def signatures(self, settings: GenerationSettings) -> dict[str, str]:
        """Return what counts as the same text."""
        ignored = [name for name in ("ignore_case", "ignore_punctuation") if getattr(settings, name)]
        return {"exact_match": "|".join(["nfkc", *ignored])}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: GenerationSettings) -> Measured:
        """Return how many answers are right."""
        wanted, texts = [row["answers"] for row in golds], self.texts(predictions)
        how = {"ignore_case": settings.ignore_case, "ignore_punctuation": settings.ignore_punctuation}
        items = {"exact_match": exact_match(wanted, texts, **how)}
        floors = {"exact_match": _most_frequent([normalised(row[0], **how) for row in wanted])}
        details = self.details(predictions, settings)
        numbers = [number_in(row[0]) for row in wanted]
        if None not in numbers:
            items["number_match"] = same_number([row[0] for row in wanted], texts)
            floors["number_match"] = _most_frequent(numbers)
            return Measured(items=items, details=details, floors={"majority": {"metrics": floors}})
        overlap = chrf(texts, wanted)
        details["signatures"]["chrf"] = overlap.signature
        return Measured(
            items=items,
            corpus={"chrf": overlap.statistic},
            details=details,
            floors={"majority": {"metrics": floors}, "empty": {"metrics": {"chrf": 0.0}}},
        )


def _most_frequent(answers: Sequence[object]) -> float:
    """Return the share that always giving the most frequent answer would have right."""
    return float(np.float64(Counter(answers).most_common(1)[0][1]) / len(answers))
