"""What a run gained: its result and its base answer the same test part, and are scored outside the sandbox."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub.models import Run
from worker import base_scores, node, scratch
from worker.attempts import Attempt
from worker.engine.contracts import CompareSpec, EngineError, EvaluateSpec, ScoreSpec
from worker.engine.decoding import read_json_object
from worker.engine_runs import Run as VerbRun
from worker.engine_runs import run_verb
from worker.jobs.limits import limits_of
from worker.jobs.training_steps import GOLD, INPUTS, MAX_REPORT_BYTES, Places, result_of

EVALUATING = gettext_noop("answering the test part")
# Why a base has no score before the run: it cannot do the task yet, which is what the run is for.
CANNOT_YET = frozenset({"label_mismatch", "unsupported_architecture", "weights_incomplete"})


def measure(attempt: Attempt, row: Run, places: Places, task_settings: dict[str, Any]) -> dict[str, Any]:
    """Score the result on the test part, the base as well where it can do the task, and compare the two."""
    if not (places / "questions" / INPUTS).exists():
        return {}
    attempt.report(0.9, EVALUATING)
    _answer(attempt, places, "after", _spec(row, places, "after", result_of(places), task_settings))
    asked = _spec(row, places, "before", places / "base", task_settings)
    known = base_scores.find(attempt, row, asked, places / "answers" / GOLD)
    answers = places / "judged" / "before.jsonl"
    is_known = base_scores.place(attempt, known, answers)
    has_answered = not is_known and row.base is not None and _answers_now(attempt, places, asked)
    (places / "answers").chmod(0o755)  # no process of a model runs any more; the scorer may be yet another user
    scores = {"after": _scored(attempt, row, places, "after", task_settings)}
    before = _scored(attempt, row, places, "before", task_settings) if has_answered else {}
    if is_known and known is not None:
        before = known.score
    else:
        base_scores.keep(attempt, known, before, answers)
    if before:
        scores |= {"before": before, "paired": _compared(attempt, row, places, task_settings)}
    return scores


def _spec(row: Run, places: Places, name: str, model: Path, task_settings: dict[str, Any]) -> EvaluateSpec:
    return EvaluateSpec(
        task=row.task,
        model_dir=str(model),
        inputs=str(places / "questions" / INPUTS),
        out_dir=str(places / name),
        settings=task_settings,
        base_dir=str(places / "base") if row.base is not None else None,  # for an adapter alone
        max_length=row.recipe.get("max_length"),
        seed=row.seed,
        threads=node.threads_per_job(),
    )


def _answers_now(attempt: Attempt, places: Places, asked: EvaluateSpec) -> bool:
    """Let the base answer; False where it cannot do the task, which is what the run is for."""
    try:
        _answer(attempt, places, "before", asked)
    except EngineError as error:
        if error.code in CANNOT_YET:
            return False
        raise
    return True


def _answer(attempt: Attempt, places: Places, name: str, spec: EvaluateSpec) -> None:
    """Let one model answer the test part."""
    run_verb(
        attempt,
        VerbRun(
            "evaluate",
            spec,
            readonly=[Path(spec.model_dir), places / "base", places / "questions"],
            writable=places / name,
            share=(0.9, 0.93) if name == "after" else (0.93, 0.96),
            may_use_gpu=True,
        ),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=spec.threads),
    )
    scratch.collect(places / name / "predictions.jsonl", places / "judged" / f"{name}.jsonl")


def _scored(attempt: Attempt, row: Run, places: Places, name: str, task_settings: dict[str, Any]) -> dict[str, Any]:
    """Return the score of one model's answers."""
    spec = ScoreSpec(
        task=row.task,
        settings=task_settings,
        gold=str(places / "answers" / GOLD),
        predictions=str(places / "judged" / f"{name}.jsonl"),
        out=str(places / "scores" / f"{name}.json"),
    )
    _judge(attempt, places, "score", spec)
    result = places / "judged" / f"{name}.json"
    scratch.collect(places / "scores" / f"{name}.json", result, limit=MAX_REPORT_BYTES)
    found = read_json_object(result, limit=MAX_REPORT_BYTES, code="bad_predictions")
    return {key: found[key] for key in ("n", "primary", "metrics", "floors")}


def _compared(attempt: Attempt, row: Run, places: Places, task_settings: dict[str, Any]) -> dict[str, Any]:
    spec = CompareSpec(
        task=row.task,
        settings=task_settings,
        gold=str(places / "answers" / GOLD),
        before=str(places / "judged" / "before.jsonl"),
        after=str(places / "judged" / "after.jsonl"),
    )
    return _judge(attempt, places, "compare", spec)


def _judge(attempt: Attempt, places: Places, verb: str, spec: ScoreSpec | CompareSpec) -> dict[str, Any]:
    """Run a verb that sees the answers and no model."""
    seen = [places / "answers", places / "judged"]
    return run_verb(
        attempt,
        VerbRun(verb, spec, readonly=seen, writable=places / "scores", share=(0.96, 0.97)),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 4096), threads=1),
    )
