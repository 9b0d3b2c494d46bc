"""Answer a benchmark with one model and say what it took: predictions.jsonl and report.json.

What imports torch is imported only when a model answers: the stand-in of the tests writes its files here too.
"""

import importlib
import json
from pathlib import Path
from typing import Any

from worker.engine.answering.answers import Answers
from worker.engine.contracts import ENGINE_VERSION, EvaluateSpec
from worker.engine.predictions import digest_of, write_predictions
from worker.engine.progress import Progress
from worker.engine.provenance import load_average, peak_rss_bytes, versions
from worker.engine.rows import Questions, read_questions
from worker.engine.tasks import find
from worker.engine.tasks.task import Task


def evaluate(spec: EvaluateSpec, progress: Progress) -> dict[str, Any]:
    """Write predictions.jsonl and report.json into spec.out_dir and return the report."""
    busy = load_average()
    task = find(spec.task)
    settings = task.settings(spec.settings)
    importlib.import_module("worker.engine.repeating").repeatable(spec.seed, spec.threads)
    questions = read_questions(Path(spec.inputs), Path(spec.context) if spec.context else None)
    progress.report(0.0, "loading the model", always=True)
    answers: Answers = importlib.import_module(task.answering).answer(task, spec, settings, questions, progress)
    said = {"engine_version": ENGINE_VERSION, "load_average": busy}
    report = write_answers(spec, task, questions, answers, said)
    progress.report(1.0, "done", always=True)
    return report


def write_answers(
    spec: EvaluateSpec, task: Task[Any], questions: Questions, answers: Answers, said: dict[str, Any]
) -> dict[str, Any]:
    """Write what a model answered and how that came about."""
    report: dict[str, Any] = {
        **said,
        "task": task.name,
        "rows": len(questions.ids),
        "seed": spec.seed,
        "threads": spec.threads,
        "dtype": spec.dtype,
        "versions": versions(),
        **answers.report,
        "peak_rss_bytes": peak_rss_bytes(),
        "prediction_digest": digest_of(task, questions.ids, answers.predictions),
    }
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_predictions(out_dir / "predictions.jsonl", questions.ids, answers.predictions)
    (out_dir / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return report
