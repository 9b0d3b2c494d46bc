"""A model folder to ONNX files in the layout that `optimum` and `transformers.js` find, each one run and compared."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

import torch

from worker.engine.answering.sharing import sharing
from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel
from worker.engine.progress import Progress
from worker.engine.provenance import cpu_name, versions
from worker.engine.tasks import find
from worker.engine.tuning.compressing import measuring
from worker.engine.tuning.compressing.contracts import MeasureSpec, Runtime
from worker.engine.tuning.contracts import MODEL_DIR
from worker.engine.tuning.exporting import checking, onnx_writing
from worker.engine.tuning.exporting.contracts import ONNX_FILES, ExportSpec
from worker.engine.tuning.exporting.graphs import Graph, graph_of
from worker.engine.tuning.exporting.kinds import Kind, load_subject
from worker.engine.tuning.exporting.published import copy_beside, facts_of, write_json
from worker.engine.tuning.exporting.samples import MADE_FROM, WRITER_MADE_FROM, batch_of

ONNX_DIR = "onnx"
MANIFEST = "manifest.json"
MEASURED_DIR = "measured"
CALIBRATION_BATCHES = 32
CALIBRATION_BUDGET = 1024
# Below so much agreement with the model's own numbers half precision does not hold this model.
HALF_AGREES = 0.9


@dataclass
class Export:
    """One export on its way."""

    spec: ExportSpec
    kind: Kind
    model: LoadedModel
    graph: Graph
    out: Path
    files: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] | None = None  # what the model itself does with the rows
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def path(self, precision: str) -> Path:
        """Return where the file of a precision lies."""
        return self.out / ONNX_DIR / ONNX_FILES[precision]


def export_onnx(
    spec: ExportSpec, progress: Progress, change: Callable[[LoadedModel], None] = lambda model: None
) -> dict[str, Any]:
    """Write model/ with onnx/ in it, and return the manifest; the model may be changed before it is written."""
    progress.report(0.0, "loading the model", always=True)
    kind, model = load_subject(spec.model_dir)
    change(model)
    folder = ModelFolder(spec.model_dir)
    made = Export(spec, kind, model, graph_of(kind, model, folder), Path(spec.out_dir, MODEL_DIR))
    shutil.rmtree(made.out, ignore_errors=True)
    (made.out / ONNX_DIR).mkdir(parents=True)
    copy_beside(folder, model, kind, made.out)
    how = _write_full(made, progress)
    for place, precision in enumerate(spec.wanted, start=1):
        progress.report(0.2 + 0.4 * place / len(spec.wanted), f"writing {precision}", always=True)
        _write_other(made, precision)
    if spec.rows is not None:
        _measure(made, progress)
    if "fp32" not in spec.wanted:
        made.path("fp32").unlink()
        del made.files[ONNX_FILES["fp32"]]
    manifest = {
        "format": "onnx",
        "task": kind.name,
        "model_type": model.config.config.model_type,
        "architecture": model.config.model_class.__name__,
        **how,
        "ir_version": onnx_writing.IR_VERSION,
        "inputs": list(made.graph.inputs),
        "outputs": list(made.graph.outputs),
        "versions": versions() | {name: metadata.version(name) for name in ("onnx", "onnxruntime")},
        "cpu_name": cpu_name(),
        "vnni": measuring.has_vnni(),
        "seed": spec.seed,
        "before": made.before,
        "files": made.files,
        "refused": made.refused,
        "notes": made.notes,
    }
    write_json(made.out / ONNX_DIR / MANIFEST, manifest)
    progress.report(1.0, "done", always=True)
    return manifest


def _write_full(made: Export, progress: Progress) -> dict[str, Any]:
    progress.report(0.1, "writing the graph", always=True)
    draw = torch.Generator().manual_seed(made.spec.seed)
    example = batch_of(made.graph, made.model, WRITER_MADE_FROM if made.graph.cache else MADE_FROM, draw)
    how = onnx_writing.write(made.graph, made.path("fp32"), example)
    found = _checked(made, "fp32")
    if found["max_relative_difference"] > checking.TOLERANCE or found.get("same_tokens") is False:
        raise EngineError(
            "export_failed",
            f"The graph answers differently from the model: by {found['max_abs_difference']:.2g}, or writes other "
            "tokens, as models do whose window is shorter than a text. It cannot be exported yet.",
        )
    return how


def _write_other(made: Export, precision: str) -> None:
    """Write another precision; one that does not work is named with its reason, and the others are kept."""
    if precision == "fp32":
        return
    source, path = made.path("fp32"), made.path(precision)
    writers: dict[str, Callable[[], None]] = {
        "fp16": lambda: onnx_writing.half(source, path),
        "int8": lambda: onnx_writing.int8(source, path),
        "int8_static": lambda: onnx_writing.int8_static(source, path, _calibration(made)),
        "int8_weights": lambda: onnx_writing.weights_alone(source, path, 8),
        "q4": lambda: onnx_writing.weights_alone(source, path, 4),
    }
    try:
        with failing_as("export_failed", f"{precision} cannot be written."):
            writers[precision]()
        found = _checked(made, precision)
        if precision == "fp16" and found["same_winner"] < HALF_AGREES:
            raise EngineError("export_failed", "in half precision the numbers of this model overflow or vanish")
    except EngineError as error:
        if error.code == "out_of_memory":
            raise
        path.unlink(missing_ok=True)
        made.files.pop(path.name, None)
        made.refused[precision] = error.message


def _checked(made: Export, precision: str) -> dict[str, Any]:
    path, threads = made.path(precision), made.spec.threads
    found = checking.compare(made.graph, made.model, path, seed=made.spec.seed, threads=threads)
    if made.graph.cache:
        found["same_tokens"] = checking.same_tokens(made.model, path, threads=threads)
    made.files[path.name] = {"precision": precision, **facts_of(path), "check": found}
    return found


def _calibration(made: Export) -> list[dict[str, Any]]:
    """Return what the model is given when it answers the calibration rows."""
    spec = made.spec
    if made.graph.cache:
        raise EngineError("export_failed", "the activations of models that write are not measured beforehand; use int8")
    assert spec.calibration is not None
    assert spec.task is not None
    task = find(spec.task)
    settings = task.settings(spec.settings)
    questions, _golds = measuring.read_rows(Path(spec.calibration), task, settings, spec.max_rows)
    asked = MeasureSpec(
        task=spec.task,
        model_dir=spec.model_dir,
        rows=spec.calibration,
        out_dir=spec.out_dir,
        settings=spec.settings,
        token_budget=CALIBRATION_BUDGET,
    )
    given: list[dict[str, Any]] = []

    def note(_module: Any, _args: Any, named: dict[str, Any]) -> None:
        if len(given) < CALIBRATION_BATCHES:
            given.append({name: tensor.numpy() for name, tensor in named.items() if name in made.graph.inputs})

    hook = made.model.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        with sharing():
            measuring.answered_by(made.model, asked, task, settings, questions, Progress(StringIO()))
    finally:
        hook.remove()
    return given


def _measure(made: Export, progress: Progress) -> None:
    """Let every file answer the rows in a process of its own, after the model itself."""
    spec = made.spec
    made.before = before = _measured(made, "torch", None)
    for place, (name, facts) in enumerate(made.files.items()):
        progress.report(0.6 + 0.4 * place / len(made.files), f"measuring {name}", always=True)
        after = _measured(made, "onnx", name)
        lost = measuring.lost(str(spec.task), before, after)
        told = Path(spec.out_dir, MEASURED_DIR)
        first, second = (told / folder / "predictions.jsonl" for folder in ("torch", name))
        alike = measuring.agreement(str(spec.task), first, second)
        facts["rows"] = {**after, "lost": lost, "agreement": alike, "passed": lost <= spec.most_lost}
        if lost > spec.most_lost:
            made.notes.append(f"{name} loses {lost:.4f} of {before['score']['name']}, more than {spec.most_lost}.")
    if "int8" in spec.wanted and measuring.has_vnni() is False:
        made.notes.append(
            "The processor that wrote this has no VNNI: sums of products of 8 bits may saturate on it, and scores of "
            "int8 files may be higher on others."
        )


def _measured(made: Export, runtime: Runtime, name: str | None) -> dict[str, Any]:
    spec = made.spec
    return measuring.measure_apart(
        MeasureSpec(
            task=str(spec.task),
            # The files that are published must do without those of the model.
            model_dir=str(made.out) if name else spec.model_dir,
            rows=str(spec.rows),
            out_dir=str(Path(spec.out_dir, MEASURED_DIR, name or runtime)),
            runtime=runtime,
            onnx=f"{ONNX_DIR}/{name}" if name else None,
            settings=spec.settings,
            max_rows=spec.max_rows,
            seed=spec.seed,
            threads=spec.threads,
        )
    )
