"""The job kind `evaluate`: a model answers a benchmark inside a sandbox, and is scored outside it.

Three sandboxes, because each sees something that another may not: `prepare` reads the data file, which is hostile
too, and splits it into questions and answers; `evaluate` sees the model and the questions, never the answers;
`score` sees the answers and what the model said, never the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from leaderboard import model_files, recording
from leaderboard.models import Evaluation, Reproduction
from models_hub import browsing, permissions
from models_hub.browsing import Entry
from models_hub.models import Repo
from portal.models import Job, User
from worker import node, sandbox, sandbox_texts, scratch, withholding
from worker.answered import Answered
from worker.attempts import Attempt, JobFailed, Stopped, TryAgain
from worker.engine.contracts import EvaluateSpec, PrepareSpec, RobustnessSpec, ScoreSpec
from worker.engine.decoding import read_json_object
from worker.engine_runs import Run, run_verb
from worker.jobs.limits import limits_of

MAX_DATA_BYTES = 128 * 1024**2
MAX_REPORT_BYTES = 4 * 1024**2
MAX_SCORES_BYTES = 64 * 1024**2
CONTEXT = "context.jsonl"  # of a benchmark's extra files, what the model may see
PERTURBED = "perturbed.jsonl"  # the same questions with changed texts
ANSWERED_AGAIN = "perturbed_predictions.jsonl"

GONE = gettext_noop("The model or the benchmark was deleted.")
CLOSED = gettext_noop("Who asked for it may no longer read the model, or no longer sees the data set.")
TOO_LARGE = gettext_noop("%(what)s: %(size)d bytes are more than the %(limit)d that this worker takes.")
OTHER_DATA = gettext_noop("The data file is not the one that the benchmark was registered with.")
ENGINE_CHANGED = gettext_noop(
    "The engine is version %(now)s, but %(asked)s was asked for. Ask for the evaluation again."
)
COLLECTING = gettext_noop("collecting files")
STORING = gettext_noop("storing the result")


@dataclass(frozen=True)
class Places:
    """The folders of one attempt. Each is shown to those runs that need it and to no other."""

    root: Path

    def __post_init__(self) -> None:
        for name in ("model", "base", "data", "spec", "prepared", "questions", "run", "judged", "scores"):
            (self.root / name).mkdir()
        (self.root / "answers").mkdir(mode=0o700)

    def __truediv__(self, name: str) -> Path:
        return self.root / name


def run(attempt: Attempt) -> None:
    """Evaluate and store the score; the job ends in the same transaction."""
    evaluation = (
        Evaluation.objects.select_related("model__namespace", "base__namespace", "benchmark__dataset__namespace")
        .filter(pk=attempt.job.spec["evaluation"])
        .first()
    )
    if evaluation is None or (evaluation.base is None and evaluation.base_commit):
        raise JobFailed(GONE, code="gone")
    if not _may_still(attempt.job.owner, evaluation):
        raise JobFailed(CLOSED, code="closed")
    isolation = sandbox.detect(node.policy())
    if isolation.warning:
        attempt.job.warn(sandbox_texts.readable(isolation.warning))
    with scratch.folder_for(attempt.job) as folder, withholding.of(attempt, evaluation.benchmark):
        places = Places(folder)
        provenance = _collect(attempt, evaluation, places) | {"isolation": list(isolation.in_force)}
        report = answer(attempt, evaluation, places)
        scores = score(attempt, evaluation, places)
        attempt.report(0.99, STORING)
        attempt.show()
        attempt.check()
        if "reproduction" in attempt.job.spec:
            again = _reproduction(attempt.job)
            recording.record_again(again, job=attempt.job, scores=scores, report=report, worker=attempt.job.worker)
            return
        recording.record(
            evaluation,
            job=attempt.job,
            scores=scores,
            report=report,
            provenance=provenance,
            predictions=scratch.store(attempt.job, places / "judged" / "predictions.jsonl"),
            items=scratch.store(attempt.job, places / "judged" / "items.json"),
        )


def _may_still(owner: User | None, evaluation: Evaluation) -> bool:
    """Whether who asked may read the model now, and sees the data; what nobody owns was asked for by the portal."""
    if owner is None:
        return True
    models = [repo for repo in (evaluation.model, evaluation.base) if repo is not None]
    wanted = {*(repo.pk for repo in models), evaluation.benchmark.dataset_id}
    is_seen = Repo.objects.visible_to(owner).filter(pk__in=wanted).count() == len(wanted)
    return owner.is_active and is_seen and all(permissions.can_download(owner, repo) for repo in models)


def _reproduction(job: Job) -> Reproduction:
    """Return the further run that the job is about; it never touches the score itself."""
    run = Reproduction.objects.filter(pk=job.spec["reproduction"]).select_related("evaluation").first()
    if run is None:
        raise JobFailed(GONE, code="gone")
    return run


def _collect(attempt: Attempt, evaluation: Evaluation, places: Places) -> dict[str, Any]:
    """Fetch the files of the model and of the data set at their pinned commits; returns what they were."""
    attempt.report(0.0, COLLECTING)
    benchmark = evaluation.benchmark
    found_models = {"model": place_model(attempt, evaluation.model, evaluation.commit_oid, places / "model")}
    if evaluation.base is not None:
        found_models["base"] = place_model(attempt, evaluation.base, evaluation.base_commit, places / "base")
    commit = browsing.resolve_revision(benchmark.dataset, benchmark.commit_oid)
    wanted = {"test": (benchmark.split_path, benchmark.data_sha256)}
    wanted |= {name: (file["path"], file["sha256"]) for name, file in benchmark.files.items()}
    found = {name: browsing.find(benchmark.dataset, commit, path) for name, (path, _sha256) in wanted.items()}
    _check_size(benchmark.split_path, list(found.values()), MAX_DATA_BYTES)
    files: dict[str, Path] = {}
    for name, entry in found.items():
        files[name] = places / "data" / name / entry.name
        if scratch.place(attempt.job, benchmark.dataset, entry, files[name]) != wanted[name][1]:
            raise JobFailed(OTHER_DATA, code="other_data")
    prepare(attempt, evaluation, places, files)
    return {
        **found_models,
        "dataset": {
            "commit": benchmark.commit_oid,
            "path": benchmark.split_path,
            "sha256": benchmark.data_sha256,
            "files": {name: sha256 for name, (_path, sha256) in wanted.items() if name != "test"},
        },
        "worker": attempt.job.worker,
    }


def place_model(attempt: Attempt, repo: Repo, oid: str, folder: Path) -> dict[str, Any]:
    """Fetch the files of a model, and return which they are."""
    entries = model_files.entries_of(repo, browsing.resolve_revision(repo, oid))
    _check_size(repo.full_name, entries, settings.JOB_MEMORY_MB * 1024**2)
    digests: dict[str, str] = {}
    for entry in entries:
        digests[entry.path] = scratch.place(attempt.job, repo, entry, folder / entry.path)
        attempt.check()
    return {"commit": oid, "files": digests}


def _check_size(what: str, entries: Sequence[Entry], limit: int) -> None:
    size = sum(entry.size for entry in entries)
    if size > limit:
        raise JobFailed(TOO_LARGE, code="too_large", data={"what": what, "size": size, "limit": limit})


def prepare(attempt: Attempt, evaluation: Evaluation, places: Places, files: dict[str, Path]) -> None:
    """Split the data into questions and answers, each in a folder that is shown to different runs."""
    prepared, benchmark = places / "prepared", evaluation.benchmark
    robustness = benchmark.engine_robustness
    spec = PrepareSpec(
        task=benchmark.task,
        files={name: str(path) for name, path in files.items()},
        fields=benchmark.fields,
        settings=benchmark.engine_settings,
        context=str(prepared / CONTEXT) if benchmark.files else None,
        inputs=str(prepared / "inputs.jsonl"),
        gold=str(prepared / "gold.jsonl"),
        robustness=RobustnessSpec(**robustness) if robustness else None,
        slices=benchmark.slices,
        perturbed=str(prepared / PERTURBED) if robustness else None,
        marks=str(prepared / "marks.json"),
    )
    run_verb(
        attempt,
        Run("prepare", spec, readonly=[places / "data"], writable=prepared, share=(0.02, 0.05)),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 2048), threads=1),
    )
    shown = ["inputs.jsonl", *([CONTEXT] if benchmark.files else []), *([PERTURBED] if robustness else [])]
    for place, names in (("questions", shown), ("answers", ["gold.jsonl", "marks.json"])):
        for name in names:
            scratch.collect(prepared / name, places / place / name)
            (prepared / name).unlink()
    for path in files.values():
        path.unlink()


def answer(attempt: Attempt, evaluation: Evaluation, places: Places) -> dict[str, Any]:
    """Let the model answer the questions; returns the engine's report."""
    out, threads = places / "run", node.threads_per_job()
    base = [places / "base"] if evaluation.base is not None else []
    spec = EvaluateSpec(
        task=evaluation.benchmark.task,
        model_dir=str(places / "model"),
        inputs=str(places / "questions" / "inputs.jsonl"),
        out_dir=str(out),
        context=str(places / "questions" / CONTEXT) if evaluation.benchmark.files else None,
        perturbed=str(places / "questions" / PERTURBED) if evaluation.benchmark.engine_robustness else None,
        base_dir=str(base[0]) if base else None,
        resume=f"{evaluation.files_digest} {evaluation.benchmark.meaning}",
        threads=threads,
        **recording.spec_of(evaluation),
    )
    answered = Answered(attempt, out)
    answered.restore()
    try:
        run_verb(
            attempt,
            Run(
                "evaluate",
                spec,
                readonly=[places / "model", *base, places / "questions"],
                writable=out,
                share=(0.05, 0.95),
                may_use_gpu=True,
            ),
            spec_folder=places / "spec",
            limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=threads),
            meanwhile=answered.save,
        )
    except (Stopped, TryAgain):
        answered.save(at_once=True)
        raise
    scratch.collect(out / "report.json", places / "judged" / "report.json", limit=MAX_REPORT_BYTES)
    report = read_json_object(places / "judged" / "report.json", limit=MAX_REPORT_BYTES, code="bad_predictions")
    if report.get("engine_version") != evaluation.engine_version:
        data = {"now": str(report.get("engine_version"))[:40], "asked": evaluation.engine_version}
        raise JobFailed(ENGINE_CHANGED, code="engine_changed", data=data)
    return report


def score(attempt: Attempt, evaluation: Evaluation, places: Places) -> dict[str, Any]:
    """Compare with the answers, in a process that has seen no byte of the model."""
    judged, benchmark = places / "judged", evaluation.benchmark
    scratch.collect(places / "run" / "predictions.jsonl", judged / "predictions.jsonl")
    robustness = benchmark.engine_robustness
    if robustness:
        scratch.collect(places / "run" / ANSWERED_AGAIN, judged / ANSWERED_AGAIN)
    (places / "answers").chmod(0o755)  # the model's process is gone; the scorer may be yet another user
    spec = ScoreSpec(
        gold=str(places / "answers" / "gold.jsonl"),
        predictions=str(judged / "predictions.jsonl"),
        task=benchmark.task,
        settings=benchmark.engine_settings,
        items=str(places / "scores" / "items.json"),
        marks=str(places / "answers" / "marks.json"),
        perturbed=str(judged / ANSWERED_AGAIN) if robustness else None,
        out=str(places / "scores" / "scores.json"),
        bootstrap=benchmark.bootstrap,
        seed=benchmark.seed,
        primary=benchmark.primary_metric,
    )
    run_verb(
        attempt,
        Run("score", spec, readonly=[places / "answers", judged], writable=places / "scores", share=(0.95, 0.99)),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 4096), threads=1),
    )
    scratch.collect(places / "scores" / "items.json", judged / "items.json", limit=MAX_SCORES_BYTES)
    scratch.collect(places / "scores" / "scores.json", judged / "scores.json", limit=MAX_SCORES_BYTES)
    return read_json_object(judged / "scores.json", limit=MAX_SCORES_BYTES, code="bad_predictions")
