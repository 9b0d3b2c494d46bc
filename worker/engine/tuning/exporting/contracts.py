"""What goes into the verb `export`. Imports no torch."""

from dataclasses import dataclass, field
from typing import Any, Literal

from worker.engine.contracts import require
from worker.engine.tuning.contracts import MAX_THREADS

Format = Literal["onnx", "gguf", "safetensors"]
# The names under which `optimum` and `transformers.js` look for a file of that precision, below onnx/.
ONNX_FILES = {
    "fp32": "model.onnx",
    "fp16": "model_fp16.onnx",
    "int8": "model_quantized.onnx",  # weights, and activations as they come
    "int8_static": "model_int8.onnx",  # activations by what was seen of calibration rows
    "int8_weights": "model_q8.onnx",  # weights alone
    "q4": "model_q4.onnx",  # weights alone
}
GGUF_TYPES = ("f32", "f16", "q8_0", "q4_0")
USUAL = {"onnx": ("fp32", "fp16", "int8"), "gguf": ("f16", "q8_0"), "safetensors": ()}
OFFERED: dict[str, tuple[str, ...]] = {"onnx": tuple(ONNX_FILES), "gguf": GGUF_TYPES, "safetensors": ()}
MAX_COMPARED = 2000


@dataclass(frozen=True, kw_only=True)
class ExportSpec:
    """Write a model in another format, run what was written, and say how far its answers are from the model's own.

    `precisions` are those of the format, none for the usual ones. With `task`, its `settings` and `rows` (arranged
    lines of {"id", "question", "gold"}) the answers to them are compared and scored too; `calibration` has rows of
    that kind that activations are measured on. An int8 file that loses more than `most_lost` is written all the same,
    and the report says so.

    Written to `out_dir`: model/, what is published, and summary.json.
    """

    model_dir: str
    out_dir: str
    format: Format
    precisions: list[str] = field(default_factory=list)
    task: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    rows: str | None = None
    calibration: str | None = None
    max_rows: int = 500
    most_lost: float = 0.01
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        offered = OFFERED[self.format]
        require(set(self.precisions) <= set(offered), f"precisions of {self.format} may be: {', '.join(offered)}")
        require(len(set(self.precisions)) == len(self.precisions), "precisions must not repeat")
        require(self.task is not None or self.rows is None, "rows need a task that says what they ask")
        require(
            "int8_static" not in self.precisions or (self.calibration is not None and self.task is not None),
            "int8_static needs a task and calibration rows of it",
        )
        require(1 <= self.max_rows <= MAX_COMPARED, f"max_rows must be 1 to {MAX_COMPARED}")
        require(0 <= self.most_lost <= 1, "most_lost must be 0 to 1")
        require(1 <= self.threads <= MAX_THREADS, f"threads must be 1 to {MAX_THREADS}")
        require(0 <= self.seed < 2**32, "seed must be 0 to 4294967295")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the precisions to write, in the order in which one is made of another."""
        chosen = self.precisions or USUAL[self.format]
        return tuple(name for name in OFFERED[self.format] if name in chosen)
