"""Running text: how well a model predicts it, in bits for each byte. With a context, the text that goes on from it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.engine.measures import likelihood
from worker.engine.records import Record
from worker.engine.tasks.likelihoods import (
    MAX_GROUPS,
    Asked,
    Found,
    LikelihoodTask,
    checked_likelihood,
    group_of,
    is_group,
    rounded,
)
from worker.engine.tasks.prompting import check_before
from worker.engine.tasks.task import Array, Measure, Measured, Role, Value, bad_gold, refused

ROW_BYTES = 1024
MAX_TOKENS = 10_000_000
# Sums of single-precision numbers, which another batch or processor adds up in another order.
TOLERANCE = 1e-4
PRETENDED_BITS = 4.0
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """What stands between a context and the text that goes on from it, where rows have a context."""

    before_text: str = " "

    def __post_init__(self) -> None:
        check_before("before_text", self.before_text)


class LanguageModeling(LikelihoodTask[TextSettings]):
    """Perplexity of running text, and of the last words of passages such as LAMBADA's."""

    name = "language-modeling"
    roles = {"input": Role(default="text"), "context": Role(required=False), "group": Role(required=False)}
    settings_type = TextSettings
    wants_lossless = True
    measures = (
        Measure("bits_per_byte", "corpus", lower_is_better=True, plain=True, tolerance=TOLERANCE),
        Measure("byte_perplexity", "corpus", lower_is_better=True, plain=True, tolerance=TOLERANCE),
        Measure("word_perplexity", "corpus", lower_is_better=True, plain=True, tolerance=1e-3),
        # The `acc` of lm-eval for LAMBADA: each token of the text was the model's first choice.
        Measure("greedy_match", "proportion"),
    )
    default_primary = "bits_per_byte"

    def read(self, record: Record, settings: TextSettings) -> tuple[Value, Value]:
        """Return the text, behind its context where there is one; nothing of it is hidden."""
        text = record.text("input")
        group = group_of(record)
        if "context" not in record.columns:
            return {"text": text}, {"text": text, "words": _words(text), **group}
        scored = settings.before_text + text
        question = {"text": scored, "context": record.text("context")}
        return question, {"text": scored, "words": _words(text), **group}

    def asked(self, question: Value, examples: Sequence[Value], settings: TextSettings, seed: int) -> list[Asked]:
        """Return the one text."""
        return [Asked(question["text"], question.get("context"))]

    def answer(self, found: Sequence[Found]) -> Value:
        """Return how likely it is."""
        (one,) = found
        return {
            "log_likelihood": rounded(one.log_likelihood),
            "tokens": one.tokens,
            "greedy": one.greedy,
            "lossless": one.lossless,
        }

    def check_gold(self, value: Value, settings: TextSettings) -> Value:
        """Return the text again."""
        if not {"text", "words"} <= set(value) <= {"text", "words", "group"} or type(value["words"]) is not int:
            raise bad_gold("it has no text")
        if not isinstance(value["text"], str) or not value["text"] or value["words"] < 1:
            raise bad_gold("it has no text")
        if not is_group(value.get("group", "-")):
            raise bad_gold("its group is no text")
        return value

    def max_row_bytes(self, settings: TextSettings) -> int:
        """Return the room for a few numbers."""
        return ROW_BYTES

    def check(self, value: Value, gold: Value, settings: TextSettings) -> Value:
        """Return the likelihood and what is known of the tokens."""
        if set(value) != {"log_likelihood", "tokens", "greedy", "lossless"}:
            raise refused("must have exactly id, log_likelihood, tokens, greedy and lossless")
        if type(value["tokens"]) is not int or not 0 <= value["tokens"] <= MAX_TOKENS:
            raise refused("has a number of tokens that cannot be")
        if not isinstance(value["greedy"], bool) or not isinstance(value["lossless"], bool):
            raise refused("must say true or false for greedy and lossless")
        return {**value, "log_likelihood": checked_likelihood(value["log_likelihood"])}

    def digest_part(self, prediction: Value) -> list[Any]:
        """Return the tokens and whether they were met: likelihoods move from one machine to the next."""
        return [prediction["tokens"], prediction["greedy"]]

    def pretend(self, numbers: Iterator[float], question: Value, settings: TextSettings) -> Value:
        """Return a likelihood of about four bits a byte."""
        size = len(str(question["text"]).encode())
        likely = -PRETENDED_BITS * size * likelihood.LN_2 * (0.5 + next(numbers))
        return {"log_likelihood": rounded(likely), "tokens": size, "greedy": next(numbers) < 0.1, "lossless": True}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: TextSettings) -> Measured:
        """Return how many bits a byte takes, and the same as perplexities."""
        likely = np.array([row["log_likelihood"] for row in predictions], dtype=np.float64)
        sizes = np.array([len(row["text"].encode()) for row in golds], dtype=np.float64)
        words = np.array([row["words"] for row in golds], dtype=np.float64)
        bits = likelihood.bits_per_byte(likely, sizes)
        tokens = sum(row["tokens"] for row in predictions)
        return Measured(
            items={"greedy_match": np.array([float(row["greedy"]) for row in predictions])},
            corpus={
                "bits_per_byte": bits,
                "byte_perplexity": likelihood.byte_perplexity(likely, sizes),
                "word_perplexity": likelihood.word_perplexity(likely, words),
            },
            details={
                "tokens": {
                    "tokens": tokens,
                    "bytes": int(sizes.sum()),
                    "bytes_per_token": float(sizes.sum() / max(1, tokens)),
                    "lossy_rows": sum(not row["lossless"] for row in predictions),
                },
                **_by_group(likely, sizes, golds),
            },
            floors={
                "uniform": _floor(8.0, sizes, words),
                "frequencies": _floor(_entropy(golds), sizes, words),
            },
        )


def _words(text: str) -> int:
    """Return how many words lm-eval counts: pieces between white space, empty ones at the ends too."""
    return len(_SPACE.split(text))


def _entropy(golds: Sequence[Value]) -> float:
    """Return the bits a byte takes for a model that knows nothing but how often each byte comes."""
    counts = np.bincount(np.frombuffer("".join(row["text"] for row in golds).encode(), np.uint8), minlength=256)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _floor(bits: float, sizes: Array, words: Array) -> dict[str, Any]:
    by_word = float(np.exp2(min(bits * sizes.sum() / words.sum(), 1000.0)))
    metrics = {"bits_per_byte": bits, "byte_perplexity": float(np.exp2(bits)), "word_perplexity": by_word}
    return {"metrics": {**metrics, "greedy_match": 0.0}}


def _by_group(likely: Array, sizes: Array, golds: Sequence[Value]) -> dict[str, Any]:
    """Return the bits a byte of each group, where rows have groups and not too many."""
    groups = [str(row.get("group", "")) for row in golds]
    if not 1 < len(set(groups)) <= MAX_GROUPS:
        return {}
    names, places = np.unique(np.array(groups, dtype=object), return_inverse=True)
    bits = np.bincount(places, weights=-likely / likelihood.LN_2) / np.bincount(places, weights=sizes)
    counts = np.bincount(places)
    return {
        "by_group": [
            {"group": str(name), "n": int(count), "value": float(value)}
            for name, count, value in zip(names, counts, bits, strict=True)
        ]
    }
