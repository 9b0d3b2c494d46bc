"""What goes into the verbs `measure` and `compress`. Imports no torch."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from worker.engine.contracts import require
from worker.engine.tuning.contracts import MAX_THREADS

# What runs a model: torch as it is, torch with matrices in 8 bits, or onnxruntime.
Runtime = Literal["torch", "torch_int8", "onnx"]
MAX_MEASURED = 20_000


@dataclass(frozen=True, kw_only=True)
class MeasureSpec:
    """Answer arranged rows with a model and say how well, how fast and in how much memory it did.

    Runs in a process of its own, so that the memory is the model's. `onnx` is a file of the folder that is run
    instead of the weights. Written to `out_dir`: predictions.jsonl, scores.json and measured.json.
    """

    task: str
    model_dir: str
    rows: str
    out_dir: str
    runtime: Runtime = "torch"
    onnx: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    max_rows: int = MAX_MEASURED
    max_length: int | None = None
    token_budget: int = 2048
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        require((self.runtime == "onnx") == (self.onnx is not None), "onnx names the file that onnxruntime runs")
        require(1 <= self.max_rows <= MAX_MEASURED, f"max_rows must be 1 to {MAX_MEASURED}")
        require(self.max_length is None or 8 <= self.max_length <= 8192, "max_length must be 8 to 8192")
        require(1 <= self.token_budget <= 1_000_000, "token_budget must be 1 to 1000000")
        require(1 <= self.threads <= MAX_THREADS, f"threads must be 1 to {MAX_THREADS}")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")


Method = Literal["layers", "heads", "vocabulary", "quantize"]
Compressed = Literal["int8", "int8_static", "int8_weights", "q4", "fp16"]


@dataclass(frozen=True, kw_only=True)
class CompressSpec:
    """Make a model smaller, and say what that cost and what it won.

    "layers" drops so many that `keep_layers` are left, each time the one that is missed the least by `dev` rows.
    "heads" keeps `keep_heads` heads in each layer, those that the loss on `train` rows depends on most.
    "vocabulary" keeps the tokens that the rows of `train` hold `least_count` times, and those without which nothing
    can be read. "quantize" writes ONNX files of fewer bits; int8_static measures activations on `train` rows.

    `rows` (arranged lines of {"id", "question", "gold"}) are what the model is measured on before and after.
    Written to `out_dir`: model/, what is published, and summary.json with the table.
    """

    task: str
    model_dir: str
    out_dir: str
    method: Method
    rows: str
    settings: dict[str, Any] = field(default_factory=dict)
    train: str | None = None
    dev: str | None = None
    keep_layers: int | None = None
    keep_heads: int | None = None
    least_count: int = 1
    precisions: list[str] = field(default_factory=lambda: ["int8"])
    most_lost: float = 0.01
    max_rows: int = 2000
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        needed = {"layers": "dev", "heads": "train", "vocabulary": "train", "quantize": None}[self.method]
        require(needed is None or getattr(self, needed) is not None, f"{self.method} needs rows under {needed}")
        sizes = {"layers": "keep_layers", "heads": "keep_heads"}
        if self.method in sizes:
            wanted = getattr(self, sizes[self.method])
            require(wanted is not None and 1 <= wanted <= 512, f"{sizes[self.method]} must be 1 to 512")
        require(set(self.precisions) <= set(get_args(Compressed)), f"precisions may be: {get_args(Compressed)}")
        require(self.method != "quantize" or bool(self.precisions), "precisions must name one at least")
        require(1 <= self.least_count <= 1_000_000, "least_count must be 1 to 1000000")
        require(1 <= self.max_rows <= MAX_MEASURED, f"max_rows must be 1 to {MAX_MEASURED}")
        require(0 <= self.most_lost <= 1, "most_lost must be 0 to 1")
        require(1 <= self.threads <= MAX_THREADS, f"threads must be 1 to {MAX_THREADS}")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")
