"""What goes into the verbs `measure` and `compress`. Imports no torch."""

from dataclasses import dataclass, field
from typing import Any, Literal

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
