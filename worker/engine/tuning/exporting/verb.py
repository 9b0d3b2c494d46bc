"""The verb `export`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker.engine.progress import Progress
from worker.engine.repeating import repeatable
from worker.engine.tuning.contracts import SUMMARY_FILE
from worker.engine.tuning.exporting.contracts import ExportSpec
from worker.engine.tuning.exporting.gguf_export import export_gguf
from worker.engine.tuning.exporting.onnx_export import export_onnx
from worker.engine.tuning.exporting.published import write_json
from worker.engine.tuning.exporting.unpickling import export_safetensors

EXPORTERS: dict[str, Callable[[ExportSpec, Progress], dict[str, Any]]] = {
    "onnx": export_onnx,
    "gguf": export_gguf,
    "safetensors": export_safetensors,
}


def export(spec: ExportSpec, progress: Progress) -> dict[str, Any]:
    """Write the model in another format and return what was written, as summary.json has it."""
    repeatable(spec.seed, spec.threads)
    made = EXPORTERS[spec.format](spec, progress)
    write_json(Path(spec.out_dir, SUMMARY_FILE), made)
    return made
