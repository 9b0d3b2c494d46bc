"""What goes into the engine and which errors come out. Imports no torch, so the worker may read it."""

from dataclasses import dataclass, field
from typing import Any, Literal

# Part of the identity of a score: raise it whenever a change here may move a number, and only then.
ENGINE_VERSION = "2.2.0"

ErrorCode = Literal[
    "bad_spec",  # the caller asked for something that the engine does not do
    "bad_data",  # a benchmark file has a row that cannot be used
    "bad_gold",  # the reference labels cannot be used
    "bad_predictions",  # what the sandbox handed back is not one proper row for each question
    "bad_config",  # config.json is not readable as a model configuration
    "custom_code",  # the model asks for code of its own, which is never run
    "unsupported_architecture",  # readable, but not a model that the engine knows for this task
    "missing_tokenizer",
    "tokenizer_unreadable",
    "tokenizer_mismatch",  # the tokenizer makes ids that the model has no embedding for
    "missing_preprocessor",  # of a model of images: how they are made ready
    "bad_preprocessor",
    "missing_weights",
    "unsafe_weights",  # only pickles, which are never loaded
    "weights_unreadable",
    "weights_incomplete",  # some tensors are absent and would have been filled with random numbers
    "label_mismatch",
    "inference_failed",
    "non_finite_scores",
    "out_of_memory",
    "device_unavailable",
    "training_failed",
    "export_failed",  # the model cannot be written in the format that was asked for, or answers differently there
    "bad_card",
    "download_failed",
]

Dtype = Literal["float32", "bfloat16", "float16"]
Strength = Literal["light", "medium", "strong"]
Device = Literal["auto", "cpu", "cuda"]

MAX_LABELS = 1000
# In the folder of a run: what is answered so far.
KEPT_FILE = "answered.jsonl"
MAX_ROBUSTNESS_ROWS = 500
MAX_SLICE_COLUMNS = 5


class EngineError(Exception):
    """An expected failure: a code for machines and a message that says what to mend."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message


def require(condition: bool, message: str, code: ErrorCode = "bad_spec") -> None:
    """Raise an EngineError unless the condition holds."""
    if not condition:
        raise EngineError(code, message)


def check_labels(labels: list[str], *, least: int = 2) -> None:
    """Refuse label sets that cannot be scored: fewer than `least`, doubled or empty names."""
    require(least <= len(labels) <= MAX_LABELS, f"labels must be a list of {least} to {MAX_LABELS} names")
    require(len(set(labels)) == len(labels), "labels must not repeat")
    require(all(label.strip() for label in labels), "labels must not be empty")


@dataclass(frozen=True, kw_only=True)
class RobustnessSpec:
    """Which changes of the texts a model is asked about as well; none named are those that fit the rows' scripts.

    `rows` is how many rows are asked again, by default as many as the kind of task can afford.
    """

    perturbations: list[str] | None = None
    strength: Strength = "medium"
    rows: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        rows = 20 if self.rows is None else self.rows
        require(20 <= rows <= MAX_ROBUSTNESS_ROWS, f"robustness.rows must be 20 to {MAX_ROBUSTNESS_ROWS}")
        require(0 <= self.seed < 2**32, "robustness.seed must be 0 to 4294967295")


@dataclass(frozen=True, kw_only=True)
class PrepareSpec:
    """Split a benchmark's files into questions, which a sandbox may see, and answers, which it may not.

    `files` has the rows under "test" and what the task takes beside them under its own names; lines of those are
    written to `context`, which the model may see too. `fields` names the columns of the task's roles.

    `perturbed` is where changed questions go, which the model may see, and `marks` what only the scorer may: which
    row each of them is of, and what rows have in common, the columns of `slices` among that.
    """

    task: str
    files: dict[str, str]
    inputs: str
    gold: str
    fields: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    context: str | None = None
    format: Literal["jsonl", "csv"] | None = None
    robustness: RobustnessSpec | None = None
    slices: list[str] = field(default_factory=list)
    perturbed: str | None = None
    marks: str | None = None

    def __post_init__(self) -> None:
        require("test" in self.files, "files must name the rows as test")
        require((self.robustness is None) == (self.perturbed is None), "perturbed must say where changed questions go")
        wanted = self.robustness is not None or bool(self.slices)
        require(self.marks is not None or not wanted, "marks must say where the marks of rows go")
        require(
            len(set(self.slices)) == len(self.slices) <= MAX_SLICE_COLUMNS,
            f"slices must be at most {MAX_SLICE_COLUMNS} different columns",
        )
        require(set(self.files) == {"test"} or self.context is not None, "context must say where extra files go")


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec:
    """Answer every question of a benchmark with one model.

    With `resume`, a name of the model's files and the benchmark, answers are kept in `out_dir` as they come, and those
    that an attempt of the same name left there are taken.

    Where `model_dir` holds an adapter alone, `base_dir` is the folder of the model that it was trained on.
    """

    task: str
    model_dir: str
    inputs: str
    out_dir: str
    settings: dict[str, Any] = field(default_factory=dict)
    context: str | None = None
    perturbed: str | None = None
    base_dir: str | None = None
    resume: str | None = None
    max_length: int | None = None
    seed: int = 0
    threads: int = 1
    dtype: Dtype = "float32"
    device: Device = "auto"
    token_budget: int = 2048

    def __post_init__(self) -> None:
        require(self.max_length is None or 8 <= self.max_length <= 8192, "max_length must be 8 to 8192")
        require(1 <= self.threads <= 256, "threads must be 1 to 256")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")
        require(1 <= self.token_budget <= 1_000_000, "token_budget must be 1 to 1000000")


@dataclass(frozen=True, kw_only=True)
class ScoreSpec:
    """Compare predictions with the reference answers, outside the sandbox.

    `items` is where one number for each example goes, for tests between models; without it they are not kept.
    With the `marks` of `prepare` there are scores of slices, and with the answers to changed questions the robustness.
    """

    task: str
    gold: str
    predictions: str
    out: str
    settings: dict[str, Any] = field(default_factory=dict)
    items: str | None = None
    marks: str | None = None
    perturbed: str | None = None
    bootstrap: int = 2000
    seed: int = 0
    primary: str | None = None

    def __post_init__(self) -> None:
        require(100 <= self.bootstrap <= 100_000, "bootstrap must be 100 to 100000")
        require(self.perturbed is None or self.marks is not None, "marks must say which questions were changed")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")


@dataclass(frozen=True, kw_only=True)
class CompareSpec:
    """Compare two files of predictions for the same answers, outside the sandbox: is `after` better than `before`?"""

    task: str
    gold: str
    before: str
    after: str
    settings: dict[str, Any] = field(default_factory=dict)
    primary: str | None = None
    bootstrap: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        require(100 <= self.bootstrap <= 100_000, "bootstrap must be 100 to 100000")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")


@dataclass(frozen=True, kw_only=True)
class TrainSpec:
    """Train a small encoder for text classification from scratch, its tokenizer included."""

    train: str
    dev: str
    labels: list[str]
    out_dir: str
    text_field: str = "text"
    label_field: str = "label"
    tokenizer: Literal["wordpiece"] = "wordpiece"
    vocab_size: int = 4000
    hidden: int = 128
    layers: int = 2
    heads: int = 2
    intermediate: int = 256
    max_length: int = 96
    epochs: int = 20
    lr: float = 1e-3
    token_budget: int = 800
    dropout: float = 0.1
    weight_decay: float = 0.01
    # Share of tokens replaced by [MASK] while training: the cheapest augmentation there is.
    token_dropout: float = 0.1
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        check_labels(self.labels)
        require(self.heads > 0 and self.hidden % self.heads == 0, "hidden must be a multiple of heads")
        require(1 <= self.hidden <= 4096 and 1 <= self.layers <= 48, "hidden or layers out of range")
        require(1 <= self.intermediate <= 16384, "intermediate must be 1 to 16384")
        require(50 <= self.vocab_size <= 200_000, "vocab_size must be 50 to 200000")
        require(8 <= self.max_length <= 8192, "max_length must be 8 to 8192")
        require(1 <= self.epochs <= 1000, "epochs must be 1 to 1000")
        require(0 < self.lr < 1, "lr must be between 0 and 1")
        require(self.token_budget >= 1, "token_budget must be positive")
        require(0 <= self.dropout < 1 and 0 <= self.token_dropout < 1, "dropout rates must be below 1")
        require(self.weight_decay >= 0, "weight_decay must not be negative")
        require(1 <= self.threads <= 256, "threads must be 1 to 256")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")
