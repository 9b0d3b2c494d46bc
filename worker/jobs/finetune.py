"""The job kind `finetune`: a model learns from a data set inside a sandbox, and is scored outside it.

Each sandbox sees what it needs and no more: `arrange` reads the data files, which are hostile too; `finetune` sees
the model and the rows to learn from, never the answers of the test part; `evaluate` and `score` are those of
evaluations. What the result is and where it goes is the owner's affair until the owner shows it.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from models_hub.adapting import aids, ending, reports, rewriting, studies, teaching
from models_hub.adapting.wishes import LEXICON
from models_hub.models import Run
from worker import node, results, sandbox, sandbox_texts, scratch
from worker.attempts import Attempt, JobFailed, Stopped, TryAgain
from worker.engine.contracts import EngineError
from worker.engine.decoding import decode, read_json_object
from worker.engine.tuning.contracts import (
    REWRITTEN_FILE,
    SUMMARY_FILE,
    Architecture,
    FinetuneSpec,
    Recipe,
    RewriteSpec,
    Teacher,
)
from worker.engine.tuning.picking.contracts import POOL, PoolSpec
from worker.engine_runs import EndedEarly, run_verb
from worker.engine_runs import Run as VerbRun
from worker.followed import Followed
from worker.jobs import before_and_after
from worker.jobs.limits import limits_of
from worker.jobs.training_steps import (
    DEV,
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

HOPELESS = "hopeless"


def run(attempt: Attempt) -> None:
    """Train, score and commit the result; the job ends in the same transaction."""
    row = find_run(attempt)
    isolation = sandbox.detect(node.policy())
    if isolation.warning:
        attempt.job.warn(sandbox_texts.readable(isolation.warning))
    with scratch.folder_for(attempt.job) as folder:
        places = Places(folder)
        collect(attempt, row, places)
        report = arrange(attempt, row, places)
        if row.options.get("only_check"):
            ending.finish(row, job=attempt.job, files=(), found={})
            return
        try:
            _rewrite(attempt, row, places)
            _pool(attempt, row, places)
            summary = _train(attempt, row, places, report["settings"])
        except EndedEarly:
            ending.finish(row, job=attempt.job, files=(), found={"is_pruned": True})
            return
        scores = before_and_after.measure(attempt, row, places, report["settings"])
        attempt.report(0.98, STORING)
        attempt.show()
        attempt.check()
        value = summary.get("best_value")
        found = {
            "summary": reports.summary(summary),
            "scores": reports.scores(scores),
            "settings": reports.bounded(report["settings"]),
            "value": float(value) if reports.is_number(value) else None,  # type: ignore[arg-type]
        }
        _end(attempt, row, result_of(places), places / "aside", found)


def _end(attempt: Attempt, row: Run, model: Path, aside: Path, found: dict[str, Any]) -> None:
    """Publish the model; a trial's is set aside, and what this worker cannot publish another one does."""
    if row.study_id is None and not settings.PORTAL_URL:
        row.summary, row.scores, row.settings = found["summary"], found["scores"], found["settings"]
        results.publish_or_keep(attempt.job, row, model, aside, found)
        return
    packed = results.pack(attempt.job, model, aside)
    end = ending.hand_over if row.study_id is None else ending.set_aside
    end(row, job=attempt.job, packed=packed, found=found)


def _rewrite(attempt: Attempt, row: Run, places: Places) -> None:
    """Let other models write the training rows otherwise, in a sandbox of their own, where the recipe asks for it."""
    named = {role: str(places / role) for role in aids.of(row) if role in rewriting.ROLES}
    if not named:
        return
    threads = node.threads_per_job()
    spec = RewriteSpec(
        task=row.task,
        train=str(places / "rows" / TRAIN),
        out_dir=str(places / "rewriting"),
        words_dir=named.get(aids.Role.WORDS),
        there_dir=named.get(aids.Role.THERE),
        back_dir=named.get(aids.Role.BACK),
        seed=row.seed,
        threads=threads,
    )
    models = [places / role for role in named]
    run_verb(
        attempt,
        VerbRun(
            "rewrite",
            spec,
            readonly=[*models, places / "rows" / TRAIN],
            writable=places / "rewriting",
            share=(0.06, 0.2),
            may_use_gpu=True,
        ),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=threads),
    )
    scratch.collect(places / "rewriting" / REWRITTEN_FILE, places / "rows" / REWRITTEN_FILE)


def _pool(attempt: Attempt, row: Run, places: Places) -> None:
    """Read the rows that nobody labelled, and leave out those that the model is tested on."""
    if aids.Role.UNLABELLED not in aids.of(row):
        return
    [file] = (places / "unlabelled").iterdir()
    spec = PoolSpec(task=row.task, file=str(file), out_dir=str(places / "pooled"), fields=row.fields, seed=row.seed)
    run_verb(
        attempt,
        VerbRun("pool", spec, readonly=[places / "unlabelled"], writable=places / "pooled", share=(0.06, 0.06)),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 4096), threads=1),
    )
    scratch.collect(places / "pooled" / POOL, places / "judged" / POOL)
    questions = places / "questions" / INPUTS
    tested = set(map(_question, questions.read_bytes().splitlines())) if questions.exists() else set()
    with (places / "judged" / POOL).open("rb") as found, (places / "rows" / POOL).open("wb") as kept:
        kept.writelines(line for line in found if _question(line) not in tested)


def _question(line: bytes) -> str:
    """Return what is asked, whatever the row is called."""
    return json.dumps({name: part for name, part in json.loads(line).items() if name != "id"}, sort_keys=True)


def _train(attempt: Attempt, row: Run, places: Places, task_settings: dict[str, Any]) -> dict[str, Any]:
    out, threads = places / "out", node.threads_per_job()
    dev, words = places / "rows" / DEV, places / "data" / LEXICON
    rewritten, pool = places / "rows" / REWRITTEN_FILE, places / "rows" / POOL
    spec = FinetuneSpec(
        task=row.task,
        train=str(places / "rows" / TRAIN),
        dev=str(dev) if dev.exists() else None,
        out_dir=str(out),
        settings=task_settings,
        model_dir=str(places / "base") if row.base is not None else None,
        architecture=decode(Architecture, row.architecture) if row.architecture else None,
        teacher=_teacher(row, places),
        recipe=decode(Recipe, row.recipe, where="recipe"),
        rewritten=str(rewritten) if rewritten.exists() else None,
        unlabelled=str(pool) if pool.exists() else None,
        lexicon=str(next(words.iterdir())) if words.exists() else None,
        seed=row.seed,
        threads=threads,
    )
    followed = Followed(attempt, row, out, places / "aside", max_bytes=settings.JOB_DISK_MB * 1024**2)
    followed.restore()
    try:
        run_verb(
            attempt,
            VerbRun(
                "finetune",
                spec,
                readonly=[places / "base", places / "teacher", places / "rows", *([words] if words.exists() else [])],
                writable=out,
                share=(0.2 if rewritten.exists() else 0.06, 0.9),
                may_use_gpu=True,
            ),
            spec_folder=places / "spec",
            limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=threads),
            meanwhile=lambda: HOPELESS if followed.look() and row.study_id and studies.is_hopeless(row) else None,
        )
    except (EndedEarly, Stopped, TryAgain, EngineError, JobFailed):
        followed.look(at_once=True)  # the curve up to here stays
        raise
    followed.look(at_once=True)
    scratch.collect(out / SUMMARY_FILE, places / "judged" / SUMMARY_FILE, limit=MAX_REPORT_BYTES)
    return read_json_object(places / "judged" / SUMMARY_FILE, limit=MAX_REPORT_BYTES, code="bad_predictions")


def _teacher(row: Run, places: Places) -> Teacher | None:
    aid = aids.of(row).get(aids.Role.TEACHER)
    if aid is None:
        return None
    folder = "base" if (aid.repo_id, aid.commit) == (row.base_id, row.base_commit) else aids.Role.TEACHER
    options = row.options.get(teaching.TEACHER, {})
    return decode(Teacher, {"model_dir": str(places / folder), **options}, where="teacher")
