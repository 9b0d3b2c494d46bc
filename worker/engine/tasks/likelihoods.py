"""Tasks whose answer is how likely a model finds texts. Imports no torch."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.engine.measures.likelihood import by_group
from worker.engine.records import Record
from worker.engine.statistics.intervals import wilson
from worker.engine.tasks.task import Array, S, Task, Value, refused

# Models that predict the next token. Of encoders classes of these names exist too; `model_config` refuses them.
CAUSAL_HEADS = ("ForCausalLM", "LMHeadModel")
# Of natural logarithms: beyond what two batches of another shape agree on.
DIGITS = 5
LARGEST = 1e12
MAX_GROUP = 200
MAX_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A text whose likelihood is asked for: behind a context, which may be empty, or running text without one."""

    text: str
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a model makes of a text."""

    log_likelihood: float
    tokens: int
    # Whether each of its tokens was the model's first choice.
    greedy: bool
    # Whether the text can be had back from its tokens, where a task asks. If not, the model predicts an easier text.
    lossless: bool = True


class LikelihoodTask(Task[S]):
    """A task that `answering.likelihood` serves."""

    heads = CAUSAL_HEADS
    answering = "worker.engine.answering.likelihood"
    # Whether it matters that texts can be had back from their tokens.
    wants_lossless = False

    @abstractmethod
    def asked(self, question: Value, examples: Sequence[Value], settings: S, seed: int) -> list[Asked]:
        """Return the texts of a question; `examples` are the lines of the file “train”."""

    @abstractmethod
    def answer(self, found: Sequence[Found]) -> Value:
        """Return the prediction made of what was found of these texts."""


def rounded(value: float) -> float:
    """Return a log-likelihood as it is written."""
    return min(0.0, round(value, DIGITS))


def checked_likelihood(value: Any) -> float:
    """Return a log-likelihood that a hostile process may have written."""
    if type(value) not in (int, float) or not math.isfinite(value) or not -LARGEST <= value <= 0:
        raise refused("has a log-likelihood that is not a number of at most 0")
    return float(value)


def group_of(record: Record) -> dict[str, str]:
    """Return the subject or phenomenon of a row, where it has one."""
    if not record.has("group"):
        return {}
    group = record.text("group")
    if len(group) > MAX_GROUP:
        raise record.bad("group", f"must have at most {MAX_GROUP} characters")
    return {"group": group}


def is_group(value: Any) -> bool:
    """Say whether the value may be the name of a group."""
    return isinstance(value, str) and 0 < len(value) <= MAX_GROUP


def shares_by_group(hits: Array, golds: Sequence[Value]) -> dict[str, Any]:
    """Return the share of hits of each group with its interval, where rows have groups and not too many."""
    groups = [str(row.get("group", "")) for row in golds]
    if not 1 < len(set(groups)) <= MAX_GROUPS:
        return {}
    rows = by_group(hits, groups)
    for row in rows:
        interval = wilson(round(row["value"] * row["n"]), row["n"])
        row |= {"low": interval.low, "high": interval.high}
    return {"by_group": rows}
