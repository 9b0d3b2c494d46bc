"""What every kind of task must say about how a model learns it: rows to numbers, numbers to a loss, and to answers.

An objective is made once for a run, from the task and what training begins from. The loop asks it in this order:
`encode` once for each set of rows, then for every batch `collate`, `forward` and `loss`, and for the dev set `answer`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch

from worker.engine.batching import plan_batches
from worker.engine.inference import in_halves
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.basis import Basis, Head
from worker.engine.tuning.beginning import begin
from worker.engine.tuning.contracts import FinetuneSpec, Recipe
from worker.engine.tuning.creating import create
from worker.engine.tuning.question_texts import texts_in

Ids = npt.NDArray[np.int32]
IGNORED = -100  # a target that no loss counts, as torch has it
DEV_BUDGET = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """A line of arranged data."""

    question: Value
    gold: Value


@dataclass(frozen=True, slots=True)
class Feature:
    """A row as the model reads it, or one of the windows of a long one."""

    row: int  # the number of its row in the data
    ids: Ids  # (tokens,)
    # Numbers that batches are planned by: what the row costs.
    length: int
    # What the loss compares with: a label's number, labels of tokens, ids to write ...
    target: Any = None
    # How much the row counts in a loss: 1 for a text, the labelled tokens of a tagged sentence.
    units: float = 1.0
    type_ids: Ids | None = None  # (tokens,)
    # What `read` needs beside the numbers of the model.
    extra: Any = None


@dataclass(kw_only=True)
class Batch:
    """Features as tensors; all lie on one device."""

    features: Sequence[Feature]
    inputs: dict[str, torch.Tensor]
    targets: Any
    tokens: int  # of the rows
    cells: int  # with padding

    @property
    def units(self) -> float:
        """Return how much its rows count in a loss."""
        return sum(feature.units for feature in self.features)


@dataclass(kw_only=True)
class Loss:
    """A loss, summed over what counts: never a mean, for batches are of unequal size."""

    total: torch.Tensor  # ()
    # What R-Drop compares between two passes, (anything, classes); None where there is no such thing.
    logits: torch.Tensor | None = None


@dataclass(kw_only=True)
class Answered:
    """What a model says to the dev set: predictions as `Task.check` takes them, in the order of the rows."""

    predictions: list[Value]
    loss: float | None  # a mean over what counts
    # The rows that were answered, where they are not all: writing answers is slow. Without one, there is only a loss.
    rows: Sequence[Row] | None = None


class Objective(ABC):
    """How one kind of task is learned. May hold what is the same in all batches, but nothing that training changes."""

    # Whether tokens may be masked while training: not where they are themselves what is to be found.
    maskable: ClassVar[bool] = False
    # Whether embeddings of tokens may be moved while training.
    attackable: ClassVar[bool] = False
    # Whether a row has one target, (rows, ...), so that two rows can be mixed.
    mixable: ClassVar[bool] = False
    # Whether a row, or a token, has one label, so that weights of classes and smoothing have a meaning.
    classes: ClassVar[bool] = False
    # Whether a batch may be halved where memory runs out: not where its rows are compared with each other.
    splittable: ClassVar[bool] = True
    # Whether nothing is read of the last layer but what heads of classification read: of encoders the first token.
    reads_first_token: ClassVar[bool] = False

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        self.task = task
        self.settings = settings
        self.spec = spec
        self.recipe: Recipe = spec.recipe
        self.basis = basis
        self.max_length = basis.max_length(self.recipe.max_length)
        # Both are changed by the method of tuning, before anything is encoded.
        self.padding_side: Literal["left", "right"] = "right"
        self.virtual_tokens = 0

    @classmethod
    def head(cls, task: Task[Any], settings: Any) -> Head:
        """Return what the head must be; by default nothing is asked of it."""
        return Head()

    @classmethod
    def heads(cls, task: Task[Any]) -> tuple[str, ...]:
        """Return the endings of model classes that are trained for the task."""
        return task.heads

    @classmethod
    def begin(cls, task: Task[Any], settings: Any, spec: FinetuneSpec, rows: Sequence[Row]) -> Basis:
        """Load what training begins from, or make it anew, its tokenizer from the texts of the rows."""
        head, heads = cls.head(task, settings), cls.heads(task)
        if spec.architecture is not None:
            return create(spec, spec.architecture, head, heads, cls.texts(rows))
        return begin(spec, task, settings, head, heads)

    @classmethod
    def texts(cls, rows: Sequence[Row]) -> Iterator[str]:
        """Yield the texts that a tokenizer is trained on."""
        for row in rows:
            yield from texts_in(row.question)

    def outputs(self) -> list[str]:
        """Return which label of the task each output of the model stands for, where it has labels."""
        return []

    def told(self) -> dict[str, Any]:
        """Return what else the exported script has to know, as JSON."""
        return {}

    def publish(self, folder: Path) -> None:  # noqa: B027  (most have nothing to write)
        """Write what the result needs beside weights, config.json and the files of the tokenizer."""

    @abstractmethod
    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return the rows as numbers; a row may become none, or several."""

    @abstractmethod
    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return one padded batch; random numbers, where it needs any, are torch's."""

    def forward(self, model: Any, batch: Batch) -> Any:
        """Return what the model says of a batch."""
        return model(**batch.inputs)

    @abstractmethod
    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the loss of an output, without smoothing and weights where it is not for training."""

    @abstractmethod
    def read(self, output: Any, batch: Batch) -> list[Any]:
        """Return for each feature of a batch what `predictions` makes answers of, on the CPU."""

    @abstractmethod
    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return one prediction a row from what was read of its features."""

    def answer(
        self,
        model: Any,
        rows: Sequence[Row],
        features: Sequence[Feature],
        *,
        done: Callable[[float], None] = lambda share: None,
        budget: int = DEV_BUDGET,
    ) -> Answered:
        """Answer the dev set in batches of like length; the model is in eval mode."""
        read: list[Any] = [None] * len(features)
        losses: list[tuple[float, float]] = []

        def ask(numbers: list[int]) -> None:
            batch = self.collate([features[number] for number in numbers], training=False)
            output = self.forward(model, batch)
            loss = float(self.loss(output, batch, training=False).total)
            for number, value in zip(numbers, self.read(output, batch), strict=True):
                read[number] = value
            losses.append((loss, batch.units))

        batches = plan_batches([feature.length for feature in features], budget)
        with torch.inference_mode():
            for seen in in_halves(self.basis.device, batches, ask):
                done(seen / len(features))
        total, units = (sum(part) for part in zip(*losses, strict=True)) if losses else (0.0, 0.0)
        return Answered(predictions=self.predictions(rows, features, read), loss=total / units if units else None)


def padded(
    rows: Sequence[Ids], *, filler: int, side: Literal["left", "right"], width: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows as one table (rows, width), and ones where it holds them."""
    lengths = np.array([len(row) for row in rows])
    width = width or int(lengths.max())
    places = np.arange(width)
    held = places < lengths[:, None] if side == "right" else places >= width - lengths[:, None]
    table = np.full((len(rows), width), filler, dtype=np.int64)
    table[held] = np.concatenate(rows)
    return torch.from_numpy(table), torch.from_numpy(held.astype(np.int64))
