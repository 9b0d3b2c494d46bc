"""Two sentences that differ in one point: which of them a model finds more likely."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from worker.engine.measures.likelihood import preferred
from worker.engine.records import Record
from worker.engine.tasks.likelihoods import (
    Asked,
    Found,
    LikelihoodTask,
    checked_likelihood,
    group_of,
    is_group,
    rounded,
    shares_by_group,
)
from worker.engine.tasks.prompting import check_before
from worker.engine.tasks.task import Measure, Measured, Role, Value, bad_gold, refused

ROW_BYTES = 1024


@dataclass(frozen=True, kw_only=True)
class PairSettings:
    """What stands between the beginning of the text and the sentence: lm-eval puts a space there."""

    before_text: str = " "

    def __post_init__(self) -> None:
        check_before("before_text", self.before_text)


class MinimalPairs(LikelihoodTask[PairSettings]):
    """BLiMP and its like."""

    name = "minimal-pairs"
    roles = {
        "good": Role(default="good"),
        "bad": Role(default="bad"),
        "group": Role(default="phenomenon", required=False),
    }
    settings_type = PairSettings
    measures = (Measure("accuracy", "proportion"),)
    default_primary = "accuracy"

    def read(self, record: Record, settings: PairSettings) -> tuple[Value, Value]:
        """Return both sentences in an order that does not tell which is the good one."""
        good, bad = record.text("good"), record.text("bad")
        if good == bad:
            raise record.bad("bad", "is the same sentence as the good one")
        sentences = sorted((good, bad))
        return {"sentences": sentences}, {"good": sentences.index(good), **group_of(record)}

    def asked(self, question: Value, examples: Sequence[Value], settings: PairSettings, seed: int) -> list[Asked]:
        """Return both sentences, each at the beginning of a text."""
        return [Asked(settings.before_text + sentence, "") for sentence in question["sentences"]]

    def answer(self, found: Sequence[Found]) -> Value:
        """Return how likely both are."""
        return {"log_likelihoods": [rounded(one.log_likelihood) for one in found]}

    def check_gold(self, value: Value, settings: PairSettings) -> Value:
        """Return which sentence is the good one."""
        if not {"good"} <= set(value) <= {"good", "group"} or type(value["good"]) is not int:
            raise bad_gold("it does not say which sentence is the good one")
        if value["good"] not in (0, 1) or not is_group(value.get("group", "-")):
            raise bad_gold("it does not say which sentence is the good one")
        return value

    def max_row_bytes(self, settings: PairSettings) -> int:
        """Return the room for two numbers."""
        return ROW_BYTES

    def check(self, value: Value, gold: Value, settings: PairSettings) -> Value:
        """Return both likelihoods."""
        given = value.get("log_likelihoods")
        if set(value) != {"log_likelihoods"} or not isinstance(given, list) or len(given) != 2:
            raise refused("must have exactly id and log_likelihoods, one for each of two sentences")
        return {"log_likelihoods": [checked_likelihood(one) for one in given]}

    def digest_part(self, prediction: Value) -> int:
        """Return which sentence is preferred: 0, 1, or -1 for neither."""
        first, second = prediction["log_likelihoods"]
        return -1 if first == second else int(second > first)

    def pretend(self, numbers: Iterator[float], question: Value, settings: PairSettings) -> Value:
        """Return two likelihoods."""
        return {"log_likelihoods": [rounded(-50 * next(numbers)) for _sentence in range(2)]}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: PairSettings) -> Measured:
        """Return how often the good sentence is the more likely one; a tie is none."""
        both = np.array([row["log_likelihoods"] for row in predictions], dtype=np.float64)  # (n, 2)
        good = np.array([row["good"] for row in golds], dtype=np.intp)
        rows = np.arange(len(good))
        hits = preferred(both[rows, good], both[rows, 1 - good])
        return Measured(
            items={"accuracy": hits},
            details=shares_by_group(hits, golds),
            floors={"chance": {"metrics": {"accuracy": 0.5}}},
        )
