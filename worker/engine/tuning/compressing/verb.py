"""The verb `compress`: a smaller model, and a table of what it cost and what it won."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from worker.engine.answering.sharing import sharing
from worker.engine.contracts import require
from worker.engine.decoding import parse_json
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.provenance import folder_bytes, versions
from worker.engine.repeating import repeatable
from worker.engine.tasks import find
from worker.engine.tuning.compressing import heads, measuring
from worker.engine.tuning.compressing.contracts import CompressSpec, MeasureSpec
from worker.engine.tuning.compressing.layers import drop_layers
from worker.engine.tuning.compressing.vocabulary import keep_tokens
from worker.engine.tuning.contracts import MODEL_DIR, SUMMARY_FILE
from worker.engine.tuning.exporting.contracts import ONNX_FILES, ExportSpec
from worker.engine.tuning.exporting.onnx_export import MEASURED_DIR, export_onnx
from worker.engine.tuning.exporting.published import write_json
from worker.engine.tuning.objectives.objective import Row
from worker.engine.tuning.watching import metrics_of

ENGINE = ["the engine here", "transformers"]
WITH_ONNX = ["onnxruntime", "transformers.js", "optimum"]
# Blocks of few bits are an operation of onnxruntime's own.
ONNXRUNTIME_ALONE = ["onnxruntime"]


def compress(spec: CompressSpec, progress: Progress) -> dict[str, Any]:
    """Write the smaller model and summary.json, and return the latter."""
    repeatable(spec.seed, spec.threads)
    if spec.method == "quantize":
        changed, table = _quantized(spec, progress, spec.precisions)
    elif spec.method == "heads":
        changed, table = _with_fewer_heads(spec, progress)
    else:
        changed = _changed(spec, progress)
        table = _compared(spec, progress)
    summary = {
        "method": spec.method,
        "task": spec.task,
        **changed,
        "table": table,
        "versions": versions(),
        "seed": spec.seed,
        "threads": spec.threads,
    }
    write_json(Path(spec.out_dir, SUMMARY_FILE), summary)
    progress.report(1.0, "done", always=True)
    return summary


def _changed(spec: CompressSpec, progress: Progress) -> dict[str, Any]:
    progress.report(0.0, "loading the model", always=True)
    source, out = ModelFolder(spec.model_dir), Path(spec.out_dir, MODEL_DIR)
    task = find(spec.task)
    model = load_model(spec.model_dir, heads=task.heads, problem_types=task.problem_types, device="cpu")
    before = sum(parameter.numel() for parameter in model.model.parameters())
    progress.report(0.05, f"choosing {spec.method}", always=True)
    if spec.method == "layers":
        with sharing():
            found = drop_layers(source, model, out, keep=spec.keep_layers or 1, score=_scorer(spec, model))
    else:
        found = keep_tokens(source, model, out, texts=_values(Path(spec.train or "")), least=spec.least_count)
    # Whether what was written is a whole model, by the same checks as any other.
    after = load_model(str(out), heads=task.heads, problem_types=task.problem_types, device="cpu")
    return {"parameters_before": before, "parameters_after": after.parameters, **found}


def _scorer(spec: CompressSpec, model: LoadedModel) -> Callable[[], float]:
    """Return what answers the dev rows with the model as it is then; more is better."""
    task = find(spec.task)
    settings = task.settings(spec.settings)
    questions, golds = measuring.read_rows(Path(spec.dev or ""), task, settings, spec.max_rows)
    rows = [Row(question, gold) for question, gold in zip(questions.values, golds, strict=True)]
    primary = task.default_primary
    sign = -1.0 if task.measure_of(primary).lower_is_better else 1.0
    asked = _measure_spec(spec, spec.model_dir, "")

    def score() -> float:
        answers = measuring.answered_by(model, asked, task, settings, questions, Progress(StringIO()))
        return sign * metrics_of(task, settings, rows, answers.predictions)[primary]

    return score


def _compared(spec: CompressSpec, progress: Progress) -> list[dict[str, Any]]:
    folders = {"before": spec.model_dir, "after": str(Path(spec.out_dir, MODEL_DIR))}
    found = {}
    for place, (name, folder) in enumerate(folders.items()):
        progress.report(0.5 + 0.25 * place, f"measuring {name}", always=True)
        found[name] = measuring.measure_apart(_measure_spec(spec, folder, name))
    told = Path(spec.out_dir, MEASURED_DIR)
    first, second = (told / name / "predictions.jsonl" for name in folders)
    lost = measuring.lost(spec.task, found["before"], found["after"])
    return [
        _line("before", found["before"], ENGINE, folder_bytes(Path(folders["before"]))),
        _line("after", found["after"], ENGINE, folder_bytes(Path(folders["after"])))
        | {"lost": lost, "agreement": measuring.agreement(spec.task, first, second), "passed": lost <= spec.most_lost},
    ]


def _with_fewer_heads(spec: CompressSpec, progress: Progress) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    progress.report(0.0, "weighing the heads", always=True)
    weights = heads.importance(spec)
    kept = heads.chosen(weights, spec.keep_heads or 1)
    told = {"kept_heads": kept, "importance": weights}
    task = find(spec.task)
    model = load_model(spec.model_dir, heads=task.heads, problem_types=task.problem_types, device="cpu")
    if heads.is_savable(model):
        before, out = model.parameters, Path(spec.out_dir, MODEL_DIR)
        heads.write_fewer(ModelFolder(spec.model_dir), model, kept, out)
        after = load_model(str(out), heads=task.heads, problem_types=task.problem_types, device="cpu")
        sizes = {"parameters_before": before, "parameters_after": after.parameters}
        return {**told, **sizes}, _compared(spec, progress)
    changed, table = _quantized(spec, progress, [], change=lambda loaded: heads.drop_heads(loaded, kept))
    return {**changed, **told, "only_onnx": True}, table


def _quantized(
    spec: CompressSpec,
    progress: Progress,
    precisions: list[str],
    change: Callable[[LoadedModel], None] = lambda model: None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    manifest = export_onnx(
        ExportSpec(
            model_dir=spec.model_dir,
            out_dir=spec.out_dir,
            format="onnx",
            precisions=["fp32", *precisions],
            task=spec.task,
            settings=spec.settings,
            rows=spec.rows,
            calibration=spec.train,
            max_rows=spec.max_rows,
            most_lost=spec.most_lost,
            seed=spec.seed,
            threads=spec.threads,
        ),
        progress,
        change,
    )
    require(len(manifest["files"]) > 1 or not precisions, "; ".join(manifest["refused"].values()), "export_failed")
    table = [_line("before", manifest["before"], ENGINE, folder_bytes(Path(spec.model_dir)))]
    for name, facts in manifest["files"].items():
        by_blocks = name in (ONNX_FILES["int8_weights"], ONNX_FILES["q4"])
        line = _line(facts["precision"], facts["rows"], ONNXRUNTIME_ALONE if by_blocks else WITH_ONNX, facts["bytes"])
        table.append(line | {key: facts["rows"][key] for key in ("lost", "agreement", "passed")})
    return {key: manifest[key] for key in ("refused", "notes", "vnni", "cpu_name")}, table


def _line(name: str, measured: dict[str, Any], loads_in: list[str], size: int) -> dict[str, Any]:
    """Return a line of the table."""
    return {
        "name": name,
        "score": measured["score"],
        "p50_ms": measured["latency"]["p50_ms"],
        "p90_ms": measured["latency"]["p90_ms"],
        "examples_per_second": measured["examples_per_second"],
        "memory_bytes": measured["memory_bytes"],
        "weights_bytes": measured["weights_bytes"],
        "bytes": size,
        "busy": measured["busy"],
        "loads_in": loads_in,
    }


def _measure_spec(spec: CompressSpec, folder: str, name: str) -> MeasureSpec:
    return MeasureSpec(
        task=spec.task,
        model_dir=folder,
        rows=spec.rows,
        out_dir=str(Path(spec.out_dir, MEASURED_DIR, name)),
        settings=spec.settings,
        max_rows=spec.max_rows,
        seed=spec.seed,
        threads=spec.threads,
    )


def _values(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = parse_json(line)
            yield row.get("question")
            yield row.get("gold")
