"""The job kinds `export` and `compress`: a model in another format, or a smaller one, measured beside the first.

Both run in sandboxes as trainings do. What they write is run before it is published, and the summary says how far its
answers are from the model's own.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from models_hub.adapting import ending, reports
from models_hub.models import Run
from worker import node, results, sandbox, sandbox_texts, scratch
from worker.attempts import Attempt
from worker.engine.decoding import read_json_object
from worker.engine.tuning.compressing.contracts import CompressSpec
from worker.engine.tuning.contracts import SUMMARY_FILE
from worker.engine.tuning.exporting.contracts import ExportSpec
from worker.engine_runs import Run as VerbRun
from worker.engine_runs import run_verb
from worker.jobs.limits import limits_of
from worker.jobs.training_steps import (
    DEV,
    GOLD,
    INPUTS,
    MAX_REPORT_BYTES,
    STORING,
    TRAIN,
    Places,
    arrange,
    collect,
    find_run,
    result_of,
)  # fmt: skip

ROWS = "measured.jsonl"
PICKLES = "pytorch_model"


def run(attempt: Attempt) -> None:
    """Convert, measure and commit; the job ends in the same transaction."""
    row = find_run(attempt)
    isolation = sandbox.detect(node.policy())
    if isolation.warning:
        attempt.job.warn(sandbox_texts.readable(isolation.warning))
    with scratch.folder_for(attempt.job) as folder:
        places = Places(folder)
        collect(attempt, row, places, more=PICKLES if row.options.get("format") == "safetensors" else "")
        task_settings: dict[str, Any] = {}
        if row.data is not None:
            task_settings = arrange(attempt, row, places, shares=(0.2, 0.3))["settings"]
            _join(places)
        summary = _convert(attempt, row, places, task_settings)
        attempt.report(0.98, STORING)
        attempt.show()
        attempt.check()
        found = {"summary": reports.summary(summary), "settings": reports.bounded(task_settings)}
        if settings.PORTAL_URL:
            packed = results.pack(attempt.job, result_of(places), places / "aside")
            ending.hand_over(row, job=attempt.job, packed=packed, found=found)
            return
        row.summary, row.settings = found["summary"], found["settings"]
        results.publish_or_keep(attempt.job, row, result_of(places), places / "aside", found)


def _join(places: Places) -> None:
    """Put questions and answers of the test part together: here nobody is ranked by them."""
    questions, answers = places / "questions" / INPUTS, places / "answers" / GOLD
    if not questions.exists():
        return
    golds = {row.pop("id"): row for row in map(json.loads, answers.read_text("utf-8").splitlines())}
    with (places / "rows" / ROWS).open("w", encoding="utf-8") as file:
        for row in map(json.loads, questions.read_text("utf-8").splitlines()):
            name = row.pop("id")
            line = {"id": name, "question": row, "gold": golds[name]}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _convert(attempt: Attempt, row: Run, places: Places, task_settings: dict[str, Any]) -> dict[str, Any]:
    out, threads = places / "out", node.threads_per_job()
    run_verb(
        attempt,
        VerbRun(
            str(row.kind),
            _spec(row, places, task_settings, threads),
            readonly=[places / "base", places / "rows"],
            writable=out,
            share=(0.06, 0.97),
        ),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=threads),
    )
    scratch.collect(out / SUMMARY_FILE, places / "judged" / SUMMARY_FILE, limit=MAX_REPORT_BYTES)
    return read_json_object(places / "judged" / SUMMARY_FILE, limit=MAX_REPORT_BYTES, code="bad_predictions")


def _spec(row: Run, places: Places, task_settings: dict[str, Any], threads: int) -> ExportSpec | CompressSpec:
    how = row.options
    rows, train, dev = (_path(places / "rows" / name) for name in (ROWS, TRAIN, DEV))
    if row.kind == Run.Kind.EXPORT:
        return ExportSpec(
            model_dir=str(places / "base"),
            out_dir=str(places / "out"),
            format=how["format"],
            precisions=how["precisions"],
            task=row.task or None,
            settings=task_settings,
            rows=rows,
            calibration=train,
            seed=row.seed,
            threads=threads,
        )
    return CompressSpec(
        task=row.task,
        model_dir=str(places / "base"),
        out_dir=str(places / "out"),
        method=how["method"],
        rows=rows or "",
        settings=task_settings,
        train=train,
        dev=dev,
        keep_layers=how.get("keep_layers"),
        keep_heads=how.get("keep_heads"),
        least_count=how.get("least_count", 1),
        precisions=how["precisions"],
        seed=row.seed,
        threads=threads,
    )


def _path(path: Path) -> str | None:
    return str(path) if path.exists() else None
