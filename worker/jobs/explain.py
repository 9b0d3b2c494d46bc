"""The job kind `explain`: the words of one question with what each added to a model's answer, in a sandbox."""

from django.conf import settings
from django.utils.translation import gettext_noop

from leaderboard import model_files
from models_hub import browsing, permissions
from models_hub.adapting import reports
from models_hub.models import Repo
from worker import node, scratch
from worker.attempts import Attempt, JobFailed
from worker.engine.decoding import read_json_object
from worker.engine.tuning.explaining.contracts import ExplainSpec
from worker.engine_runs import Run, run_verb
from worker.jobs.limits import limits_of
from worker.jobs.training_steps import check_size

GONE = gettext_noop("The model was deleted, or you may no longer read it.")
COLLECTING = gettext_noop("collecting files")
MAX_RESULT = 200_000
FOUND = "explanation.json"


def run(attempt: Attempt) -> None:
    """Explain, and end the job with what was found."""
    spec = attempt.job.spec
    parts = {"model": (_read(attempt, spec["repo"]), spec["commit"])}
    if "base" in spec:
        parts["base"] = (_read(attempt, spec["base"]), spec["base_commit"])
    attempt.report(0.0, COLLECTING)
    with scratch.folder_for(attempt.job) as folder:
        for name in (*parts, "out", "spec"):
            (folder / name).mkdir()
        for name, (repo, oid) in parts.items():
            entries = model_files.entries_of(repo, browsing.resolve_revision(repo, oid))
            check_size(repo.full_name, entries)
            for entry in entries:
                scratch.place(attempt.job, repo, entry, folder / name / entry.path)
                attempt.check()
        threads = node.threads_per_job()
        run_verb(
            attempt,
            Run(
                "explain",
                ExplainSpec(
                    model_dir=str(folder / "model"),
                    base_dir=str(folder / "base") if "base" in parts else None,
                    out=str(folder / "out" / FOUND),
                    question=spec["question"],
                    method=spec["method"],
                    target=spec["target"] or None,
                    word=spec.get("word"),
                    threads=threads,
                ),
                readonly=[folder / name for name in parts],
                writable=folder / "out",
                share=(0.1, 0.95),
            ),
            spec_folder=folder / "spec",
            limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=threads),
        )
        scratch.collect(folder / "out" / FOUND, folder / FOUND, limit=MAX_RESULT)
        found = read_json_object(folder / FOUND, limit=MAX_RESULT, code="bad_predictions")
    attempt.job.finish({**reports.bounded(found), "page": f"{parts['model'][0].path}/explanation/{attempt.job.pk}"})


def _read(attempt: Attempt, pk: int) -> Repo:
    """Return a repository that the job's owner may read."""
    owner = attempt.job.owner
    rows = Repo.objects.visible_to(owner).select_related("namespace", "restriction") if owner else Repo.objects.none()
    repo = rows.filter(pk=pk).first()
    if repo is None or owner is None or not permissions.can_download(owner, repo):
        raise JobFailed(GONE, code="gone")
    return repo
