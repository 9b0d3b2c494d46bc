"""Answer a benchmark with one model and say what it took: predictions.jsonl and report.json.

What imports torch is imported only when a model answers: the stand-in of the tests writes its files here too.
"""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker.engine.answering.answers import Answers
from worker.engine.answering.sharing import sharing, standing_on
from worker.engine.contracts import ENGINE_VERSION, KEPT_FILE, EvaluateSpec
from worker.engine.environment import keep_memory
from worker.engine.predictions import digest_of, write_predictions
from worker.engine.progress import Progress
from worker.engine.provenance import cores, cpu_name, folder_bytes, is_busy, load_average, peak_rss_bytes, versions
from worker.engine.rows import Questions, read_changed, read_questions
from worker.engine.tasks import find
from worker.engine.tasks.task import Task
from worker.engine.turns import Kept, Turns, cut, key_of

Family = Callable[[Task[Any], EvaluateSpec, Any, Questions, Progress], Answers]


def evaluate(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Write predictions.jsonl and report.json into spec.out_dir and return the report."""
    keep_memory()
    family: Family = importlib.import_module(find(spec.task).answering).answer
    importlib.import_module("worker.engine.repeating").repeatable(spec.seed, spec.threads)
    device = importlib.import_module("worker.engine.load").choose_device(spec.device).type
    return answer_all(spec, progress, family, version=ENGINE_VERSION, device=device)


def answer_all(spec: EvaluateSpec, progress: Progress, family: Family, *, version: str, device: str) -> dict[str, Any]:
    """Let a family of models answer all questions, and those that were changed after them."""
    before = load_average()
    task = find(spec.task)
    settings = task.settings(spec.settings)
    questions = read_questions(Path(spec.inputs), Path(spec.context) if spec.context else None)
    changed = read_changed(Path(spec.perturbed), questions.context) if spec.perturbed else Questions([], [])
    parts, more = (cut(asked.values, task.turn_rows) for asked in (questions, changed))
    out_dir = Path(spec.out_dir)
    key = key_of(spec, version=version, device=device) if spec.resume else None
    kept = Kept(out_dir / KEPT_FILE, key, task.max_row_bytes(settings), task.digest_part)
    kept.read([len(rows) for rows in (*parts, *more)])
    progress.report(0.0, "loading the model", always=True)
    with sharing(), standing_on(spec.base_dir):
        turns = Turns(
            ask=lambda asked, part: family(task, spec, settings, asked, part),
            kept=kept,
            progress=progress,
            total=len(questions.ids) + len(changed.ids),
        )
        answers = turns.answer(questions, parts)
        again = turns.answer(changed, more)
    after = load_average()
    report: dict[str, Any] = {
        "engine_version": version,
        "load_average": before,
        "load_average_after": after,
        "cores": cores(),
        "busy": is_busy(before, after, threads=spec.threads, cores=cores()),
        "task": task.name,
        "rows": len(questions.ids),
        "resumed_rows": turns.resumed,
        "seed": spec.seed,
        "threads": spec.threads,
        "dtype": spec.dtype,
        "cpu_name": cpu_name(),
        "versions": versions(),
        "disk_bytes": folder_bytes(Path(spec.model_dir)),
        **answers.report,
        "peak_rss_bytes": peak_rss_bytes(),
        "prediction_digest": digest_of(task, questions.ids, answers.predictions),
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    if spec.perturbed:
        report["robustness"] = _cost(answers, again)
        write_predictions(out_dir / "perturbed_predictions.jsonl", changed.ids, again.predictions)
    write_predictions(out_dir / "predictions.jsonl", questions.ids, answers.predictions)
    (out_dir / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    kept.forget()
    progress.report(1.0, "done", always=True)
    return report


def _cost(clean: Answers, changed: Answers) -> dict[str, Any]:
    """Return what asking the changed questions cost, as a share of the time of all answers."""
    own, others = (answers.report.get("predict_seconds", 0.0) for answers in (changed, clean))
    share = own / (own + others) if own + others > 0 else 0.0
    return {"questions": len(changed.predictions), "seconds": own, "share": round(share, 4)}
