"""What every kind of task must say about itself: its columns, settings, models, answers and measures. No torch."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from worker.engine.contracts import EngineError
from worker.engine.decoding import decode
from worker.engine.records import Record
from worker.engine.statistics.resampling import Array, CorpusStatistic, Whole

__all__ = ["Array", "CorpusStatistic", "Measure", "Measured", "Role", "Task", "Value", "Whole"]

Value = dict[str, Any]
S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Role:
    """A column that a benchmark names, and the name that is taken where it names none."""

    default: str | None = None
    required: bool = True


@dataclass(frozen=True)
class Measure:
    """One number of a score.

    `proportion` and `mean` have one number for each example, `corpus` has none and is resampled, and a `value` has
    no interval, so that models cannot be ranked by it.
    """

    name: str
    kind: Literal["proportion", "mean", "corpus", "value"]
    lower_is_better: bool = field(default=False, kw_only=True)
    # Written as it is, not in per cent.
    plain: bool = field(default=False, kw_only=True)
    # How far two honest runs may differ, as a share of the number or of one: more than rounding where the number is
    # made of probabilities, which move in the seventh digit from one processor to the next.
    tolerance: float = field(default=1e-9, kw_only=True)
    # It needs examples of every class, so that the parts of a benchmark cannot be compared by it.
    of_all_classes: bool = field(default=False, kw_only=True)
    # It has a meaning for some benchmarks of the kind only; others leave it out.
    optional: bool = field(default=False, kw_only=True)

    @property
    def rankable(self) -> bool:
        """Say whether models can be ranked by it."""
        return self.kind != "value"

    @property
    def best(self) -> float:
        """Return what a perfect model reaches."""
        return 0.0 if self.lower_is_better else 1.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that is found by comparing predictions with answers."""

    # For proportions and means: one number for each example, in the order of the benchmark, never NaN.
    items: dict[str, Array] = field(default_factory=dict)
    corpus: dict[str, CorpusStatistic] = field(default_factory=dict)
    # Numbers without an interval.
    values: dict[str, float] = field(default_factory=dict)
    # Which examples hang together, such as the questions about one passage; (n,) whole numbers from 0.
    clusters: Whole | None = None
    # JSON of bounded size: per_class, confusion, calibration ...
    details: dict[str, Any] = field(default_factory=dict)
    # What a model that learned nothing reaches: {"chance": {"metrics": {name: value}}, "majority": {...}}.
    floors: dict[str, Any] = field(default_factory=dict)


class Task(ABC, Generic[S]):
    """One kind of task. Instances hold no state: `worker.engine.tasks.TASKS` has one of each."""

    name: str
    roles: Mapping[str, Role]
    # Extra data files that a benchmark may name, such as "train" or "corpus", and whether it must.
    files: Mapping[str, bool] = {}
    settings_type: type[S]
    # Endings of `architectures` in config.json, and the values of its `problem_type` that fit (absent always does).
    heads: tuple[str, ...]
    problem_types: tuple[str, ...] = ()
    # The module that lets a model answer. It may import torch and is imported only for that.
    answering: str
    measures: tuple[Measure, ...]
    default_primary: str
    # Whether questions are texts, which have a length, a script and other ways of writing them.
    reads_text: bool = True
    # How many questions are answered before the answers are kept for an attempt that follows.
    turn_rows: int = 512

    def settings(self, value: Mapping[str, Any]) -> S:
        """Return checked settings."""
        return decode(self.settings_type, dict(value), where="settings")

    def measure_of(self, name: str) -> Measure:
        """Return one of the measures by its name."""
        return next(measure for measure in self.measures if measure.name == name)

    def columns(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the column of each role, the defaults where a benchmark names none."""
        if unknown := sorted(set(fields) - set(self.roles)):
            raise EngineError("bad_spec", f"fields names roles that {self.name} does not have: {', '.join(unknown)}")
        columns = {role: fields.get(role, what.default) for role, what in self.roles.items()}
        if missing := [role for role, what in self.roles.items() if what.required and columns[role] is None]:
            raise EngineError("bad_spec", f"fields must name a column for: {', '.join(missing)}")
        return {role: column for role, column in columns.items() if column is not None}

    @abstractmethod
    def read(self, record: Record, settings: S) -> tuple[Value, Value]:
        """Return what the model may see of a line and what it may not; every error is `bad_data`."""

    def read_extra(self, role: str, record: Record, settings: S) -> Value:
        """Return what the model may see of a line of an extra file; a task without such files refuses them."""
        raise EngineError("bad_spec", f"{self.name} takes no file “{role}”")

    def finish(
        self,
        ids: Sequence[str],
        questions: Sequence[Value],
        golds: Sequence[Value],
        extra: Mapping[str, Sequence[Value]],
        settings: S,
    ) -> list[Value]:
        """Return the answers with what only all rows and files together can tell; every error is `bad_data`."""
        return list(golds)

    @abstractmethod
    def check_gold(self, value: Value, settings: S) -> Value:
        """Return an answer that `read` wrote, checked again: what read the data was hostile ground."""

    @abstractmethod
    def max_row_bytes(self, settings: S) -> int:
        """Return how many bytes of JSON one prediction may take, its id left out."""

    @abstractmethod
    def check(self, value: Value, gold: Value, settings: S) -> Value:
        """Return a prediction that a hostile process may have written, checked; raises with `refused`."""

    @abstractmethod
    def digest_part(self, prediction: Value) -> Any:
        """Return what of a prediction enters the digest of all: no float that moves between machines."""

    @abstractmethod
    def pretend(self, numbers: Iterator[float], question: Value, settings: S) -> Value:
        """Return a proper prediction made of numbers from 0 to 1: what the tests' stand-in for a model answers."""

    @abstractmethod
    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: S) -> Measured:
        """Compare predictions with answers, both in the order of the benchmark."""


def refused(what: str) -> EngineError:
    """Return the error for a prediction that is not proper; whoever reads the file adds the number of the row."""
    return EngineError("bad_predictions", what)


def bad_gold(what: str) -> EngineError:
    """Return the error for an answer that cannot be used."""
    return EngineError("bad_gold", what)
