"""How well, how fast and in how much memory a model answers: by the same code that evaluates models."""

import gc
import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from worker.engine.again import run_apart
from worker.engine.answering.answers import Answers
from worker.engine.answering.sharing import once, sharing
from worker.engine.contracts import EngineError, EvaluateSpec, ScoreSpec, require
from worker.engine.decoding import parse_json
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel, load_model
from worker.engine.model_config import read_config
from worker.engine.predictions import write_predictions
from worker.engine.progress import Progress
from worker.engine.provenance import cores, cpu_name, is_busy, load_average, peak_rss_bytes
from worker.engine.repeating import repeatable
from worker.engine.rows import Questions, write_lines
from worker.engine.scoring import score
from worker.engine.tasks import find
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.compressing.contracts import MeasureSpec
from worker.engine.tuning.compressing.stand_ins import load_int8, load_onnx

MEASURED_FILE = "measured.json"
SPEC_FILE = "measure.json"
# Families whose models are called with tensors alone, so that another runtime can stand in for them.
FAMILIES = ("classifier", "tagger", "reader", "similarity", "generator")
MAX_LINE = 4 << 20
CHILD_SECONDS = 3600
VNNI = ("avx512_vnni", "avx_vnni", "amx_int8")


def measure(spec: MeasureSpec, progress: Progress) -> dict[str, Any]:
    """Write the answers, their score and what they took, and return the latter two."""
    task = find(spec.task)
    require(
        task.answering.rpartition(".")[2] in FAMILIES,
        f"models for {spec.task} are not measured in other runtimes: leave out task and rows",
    )
    repeatable(spec.seed, spec.threads)
    settings = task.settings(spec.settings)
    questions, golds = read_rows(Path(spec.rows), task, settings, spec.max_rows)
    # What all runtimes need of libraries is no cost of the model.
    importlib.import_module(task.answering)
    read_config(ModelFolder(spec.model_dir), task.heads)
    gc.collect()
    at_first, load_before = resident_bytes(), load_average()
    with sharing():
        answers = answered_by(_load(spec, task), spec, task, settings, questions, progress)
    took = max(0, most_bytes() - at_first)
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_predictions(out_dir / "predictions.jsonl", questions.ids, answers.predictions)
    write_lines(out_dir / "gold.jsonl", ({"id": id_, **gold} for id_, gold in zip(questions.ids, golds, strict=True)))
    scores = score(
        ScoreSpec(
            task=spec.task,
            settings=spec.settings,
            gold=str(out_dir / "gold.jsonl"),
            predictions=str(out_dir / "predictions.jsonl"),
            out=str(out_dir / "scores.json"),
            items=str(out_dir / "items.json"),
        )
    )
    measured = {
        "runtime": spec.runtime,
        "rows": len(golds),
        "score": scores["primary"],
        "metrics": scores["metrics"],
        "latency": answers.report["latency"],
        "examples_per_second": answers.report["examples_per_second"],
        "memory_bytes": took,
        "weights_bytes": answers.report["weights_bytes"],
        "threads": spec.threads,
        "cpu_name": cpu_name(),
        "busy": is_busy(load_before, load_average(), threads=spec.threads, cores=cores()),
    }
    (out_dir / MEASURED_FILE).write_text(json.dumps(measured, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return measured


def measure_apart(spec: MeasureSpec) -> dict[str, Any]:
    """Measure in a process of its own: memory that another model left behind would be counted too."""
    folder = Path(spec.out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SPEC_FILE).write_text(json.dumps(asdict(spec)), encoding="utf-8")
    run_apart("measure", folder / SPEC_FILE, seconds=CHILD_SECONDS)
    found: dict[str, Any] = json.loads(Path(spec.out_dir, MEASURED_FILE).read_text(encoding="utf-8"))
    return found


def answered_by(
    model: LoadedModel, spec: MeasureSpec, task: Task[Any], settings: Any, questions: Questions, progress: Progress
) -> Answers:
    """Let this model answer in the place of the one that the folder's weights make; to be called while sharing."""
    family = importlib.import_module(task.answering).answer
    asked = EvaluateSpec(
        task=spec.task,
        model_dir=spec.model_dir,
        inputs="",
        out_dir=spec.out_dir,
        settings=spec.settings,
        max_length=spec.max_length,
        seed=spec.seed,
        threads=spec.threads,
        device="cpu",
        token_budget=spec.token_budget,
    )
    for problems in {(), tuple(task.problem_types)}:
        once(("model", spec.model_dir, tuple(task.heads), problems, asked.dtype, asked.device), lambda: model)
    answers: Answers = family(task, asked, settings, questions, progress)
    return answers


def agreement(task_name: str, first: Path, second: Path) -> float:
    """Return the share of rows that two files of predictions answer alike."""
    task = find(task_name)
    pairs = list(zip(_predictions(first), _predictions(second), strict=True))
    alike = [bool(task.digest_part(one) == task.digest_part(other)) for one, other in pairs]
    return sum(alike) / len(pairs)


def lost(task_name: str, before: dict[str, Any], after: dict[str, Any]) -> float:
    """Return how much worse the score is; a gain is negative."""
    fall = float(before["score"]["value"]) - float(after["score"]["value"])
    return -fall if find(task_name).measure_of(before["score"]["name"]).lower_is_better else fall


def read_rows(path: Path, task: Task[Any], settings: Any, most: int) -> tuple[Questions, list[Value]]:
    """Return the questions and answers of arranged rows, evenly taken where there are more than so many."""
    rows: list[tuple[str, Value, Value]] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                value: Any = parse_json(line) if len(line) <= MAX_LINE else None
                rows.append((str(value["id"]), value["question"], task.check_gold(value["gold"], settings)))
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise EngineError("bad_data", f"row {number} is no line of id, question and gold") from error
    if not rows:
        raise EngineError("bad_data", "the rows to measure with are none")
    if len(rows) > most:
        rows = [rows[place * len(rows) // most] for place in range(most)]
    ids, questions, golds = (list(column) for column in zip(*rows, strict=True))
    return Questions(ids, questions), golds


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    return _of_status("VmRSS")


def most_bytes() -> int:
    """Return the most that it has held. What getrusage says would count the process that started this one too."""
    return _of_status("VmHWM")


def _of_status(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return peak_rss_bytes()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), peak_rss_bytes())


def has_vnni() -> bool | None:
    """Say whether the processor adds up products of 8 bits without saturation; None where nothing tells."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return None
    return any(name in flags for name in VNNI)


def _load(spec: MeasureSpec, task: Task[Any]) -> LoadedModel:
    if spec.runtime == "onnx" and spec.onnx:
        return load_onnx(spec.model_dir, spec.onnx, heads=task.heads, threads=spec.threads)
    if spec.runtime == "torch_int8":
        return load_int8(spec.model_dir, heads=task.heads)
    return load_model(spec.model_dir, heads=task.heads, device="cpu")


def _predictions(path: Path) -> list[Value]:
    with path.open(encoding="utf-8") as file:
        return [parse_json(line) for line in file]
