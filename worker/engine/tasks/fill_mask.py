"""A word left out of a text to the words that a model would put there, best first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.contracts import require
from worker.engine.measures.text_answers import normalised
from worker.engine.records import Record, is_encodable
from worker.engine.tasks.task import Array, Measure, Measured, Role, Task, Value, bad_gold, refused
from worker.engine.tasks.writing import answers_of, are_texts

MOST = 10  # words that a model names for a gap
IN_DIGEST = 5
MAX_WORD = 200
MAX_TOKENS = 8


@dataclass(frozen=True, kw_only=True)
class MaskSettings:
    """How the data mark the gap, and how many tokens a word that fills it may take in the model's vocabulary."""

    mask: str = "[MASK]"
    max_tokens: int = 3

    def __post_init__(self) -> None:
        require(0 < len(self.mask) <= 40 and self.mask.strip() == self.mask, "mask must be text of 1 to 40 characters")
        require(1 <= self.max_tokens <= MAX_TOKENS, f"max_tokens must be 1 to {MAX_TOKENS}")


class FillMask(Task[MaskSettings]):
    """Words for a gap.

    What the right word is stays with the scorer, so that the model may not know of how many tokens it is: words of one
    to `max_tokens` tokens compete by their mean log-probability a token.
    """

    name = "fill-mask"
    roles = {"input": Role(default="text"), "target": Role(default="answer")}
    settings_type = MaskSettings
    heads = ("ForMaskedLM",)
    answering = "worker.engine.answering.masked"
    measures = (Measure("acc_at_1", "proportion"), Measure("acc_at_5", "proportion"), Measure("mrr", "mean"))
    default_primary = "acc_at_1"

    def read(self, record: Record, settings: MaskSettings) -> tuple[Value, Value]:
        """Return the text with its gap, and every word that counts as right."""
        text = record.text("input")
        if text.count(settings.mask) != 1:
            raise record.bad("input", f"must hold {settings.mask} once, where the word is left out")
        return {"text": text}, {"answers": answers_of(record, "target")}

    def check_gold(self, value: Value, settings: MaskSettings) -> Value:
        """Return the right words."""
        if set(value) != {"answers"} or not are_texts(value["answers"]) or not value["answers"]:
            raise bad_gold("it has no list of answers")
        return value

    def max_row_bytes(self, settings: MaskSettings) -> int:
        """Return the room for the words and their scores."""
        return 256 + MOST * (6 * MAX_WORD + 40)

    def check(self, value: Value, gold: Value, settings: MaskSettings) -> Value:
        """Return the words, each once and best first, and how likely each is."""
        if set(value) != {"words", "scores"}:
            raise refused("must have exactly id, words and scores")
        words, scores = value["words"], value["scores"]
        if not isinstance(words, list) or len(words) > MOST or not all(_is_word(word) for word in words):
            raise refused(f"must have a list of at most {MOST} words")
        if len(set(words)) != len(words):
            raise refused("must name each word once")
        if not isinstance(scores, list) or len(scores) != len(words) or not all(_is_share(score) for score in scores):
            raise refused("must have a score from 0 to 1 for each word")
        if sorted(scores, reverse=True) != scores:
            raise refused("must name the best word first")
        return value

    def digest_part(self, prediction: Value) -> list[str]:
        """Return the best words."""
        words: list[str] = prediction["words"][:IN_DIGEST]
        return words

    def pretend(self, numbers: Iterator[float], question: Value, settings: MaskSettings) -> Value:
        """Return some of the words around the gap."""
        around = list(dict.fromkeys(question["text"].replace(settings.mask, " ").split()))
        words = [word[:MAX_WORD] for word in sorted(around, key=lambda word: next(numbers))][:3]
        return {"words": words, "scores": [0.5, 0.2, 0.1][: len(words)]}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: MaskSettings) -> Measured:
        """Return at which place the right word stands."""
        wanted = [{normalised(text, ignore_punctuation=False) for text in row["answers"]} for row in golds]
        ranks = _ranks(wanted, [row["words"] for row in predictions])
        frequent = Counter(normalised(row["answers"][0], ignore_punctuation=False) for row in golds)
        always = [word for word, _count in sorted(frequent.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]]
        floor = _scores(_ranks(wanted, [always] * len(golds)))
        return Measured(
            items=_scores(ranks),
            details={"ranks": _table(ranks)},
            floors={"frequent": {"metrics": {name: float(values.mean()) for name, values in floor.items()}}},
        )


def _ranks(wanted: Sequence[set[str]], words: Sequence[Sequence[str]]) -> Array:
    """Return the place of the first right word of each row, 0 where there is none."""
    found = []
    for right, named in zip(wanted, words, strict=True):
        places = (place for place, word in enumerate(named, 1) if normalised(word, ignore_punctuation=False) in right)
        found.append(next(places, 0))
    return np.array(found, dtype=np.float64)


def _scores(ranks: Array) -> dict[str, Array]:
    return {
        "acc_at_1": (ranks == 1).astype(np.float64),
        "acc_at_5": ((ranks >= 1) & (ranks <= 5)).astype(np.float64),
        "mrr": np.divide(1.0, ranks, out=np.zeros(len(ranks)), where=ranks > 0),
    }


def _table(ranks: Array) -> list[dict[str, Any]]:
    """Return how many right words stand at which place; place 0 is none of them."""
    places, counts = np.unique(ranks.astype(int), return_counts=True)
    return [{"place": int(place), "n": int(count)} for place, count in zip(places, counts, strict=True)]


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_WORD and is_encodable(value)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
