"""What jobs share that make a model of another one: its files and rows in folders, each shown to those who need it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from leaderboard import model_files
from models_hub import browsing
from models_hub.adapting import aids, reports
from models_hub.adapting.wishes import PARTS
from models_hub.browsing import Entry
from models_hub.models import Repo, Run
from worker import results, scratch
from worker.attempts import Attempt, JobFailed
from worker.engine.decoding import read_json_object
from worker.engine.tuning.contracts import DATA_REPORT_FILE, MODEL_DIR, ArrangeSpec
from worker.engine_runs import Run as VerbRun
from worker.engine_runs import run_verb
from worker.jobs.limits import limits_of

MAX_REPORT_BYTES = 4 * 1024**2
TRAIN, DEV = "train.jsonl", "dev.jsonl"
INPUTS, GOLD = "test_inputs.jsonl", "test_gold.jsonl"
FOLDERS = (
    "base",
    "teacher",
    "words",
    "there",
    "back",
    "rewriting",
    "unlabelled",
    "pooled",
    "data",
    "spec",
    "arranged",
    "rows",
    "questions",
    "out",
    "aside",
    "judged",
    "after",
    "before",
    "scores",
)

GONE = gettext_noop("The run, its model or its data set was deleted.")
CLOSED = gettext_noop("The owner of the run may no longer read the model or the data set.")
TOO_LARGE = gettext_noop("%(what)s: %(size)d bytes are more than the %(limit)d that this worker takes.")
DATA_REFUSED = gettext_noop("The data cannot be used as it is. The findings on the page of the run say what to mend.")
COLLECTING = gettext_noop("collecting files")
CHECKING = gettext_noop("checking the data")
STORING = gettext_noop("storing the result")


@dataclass(frozen=True)
class Places:
    """The folders of one attempt. Each is shown to those children that need it and to no other."""

    root: Path

    def __post_init__(self) -> None:
        for name in FOLDERS:
            (self.root / name).mkdir()
        (self.root / "answers").mkdir(mode=0o700)

    def __truediv__(self, name: str) -> Path:
        return self.root / name


def find_run(attempt: Attempt) -> Run:
    """Return the run, whose owner must still be allowed what was asked for."""
    rows = Run.objects.select_related("owner", "base__namespace", "data__namespace", "checkpoint", "study")
    row = rows.filter(pk=attempt.job.spec["run"], job=attempt.job, finished_at=None).first()
    if row is None or (row.data is None and row.data_commit) or (row.base is None and not row.architecture):
        raise JobFailed(GONE, code="gone")
    if any(aid.repo is None for aid in aids.of(row).values()):
        raise JobFailed(GONE, code="gone")
    if not row.owner.is_active or not aids.are_readable(row):
        raise JobFailed(CLOSED, code="closed")
    return row


def collect(attempt: Attempt, row: Run, places: Places, *, more: str = "") -> None:
    """Place the files of the base, also those whose names begin with `more`, and the data files."""
    attempt.report(0.0, COLLECTING)
    if row.base is not None:
        commit = browsing.resolve_revision(row.base, row.base_commit)
        entries = model_files.entries_of(row.base, commit)
        if more:
            items = browsing.items_below(row.base, commit)
            wanted = {path: item for path, item in items.items() if path.startswith(more) and not item.is_folder}
            entries = [*entries, *browsing.entries(row.base, wanted)]
        _place(attempt, row.base, entries, places / "base")
    for role, aid in aids.of(row).items():
        is_base = (aid.repo_id, aid.commit) == (row.base_id, row.base_commit)
        if aid.repo is None or (is_base and role == aids.Role.TEACHER):
            continue
        if role == aids.Role.UNLABELLED:
            entry = browsing.find(aid.repo, browsing.resolve_revision(aid.repo, aid.commit), aid.path)
            _place(attempt, aid.repo, [replace(entry, path=entry.name)], places / role)
        else:
            found = model_files.entries_of(aid.repo, browsing.resolve_revision(aid.repo, aid.commit))
            _place(attempt, aid.repo, found, places / role)
    if row.data is None:
        return
    commit = browsing.resolve_revision(row.data, row.data_commit)
    for part, path in row.files.items():
        entry = browsing.find(row.data, commit, path)
        check_size(path, [entry])
        scratch.place(attempt.job, row.data, entry, places / "data" / part / entry.name)
        attempt.check()


def _place(attempt: Attempt, repo: Repo, entries: list[Entry], folder: Path) -> None:
    check_size(repo.full_name, entries)
    for entry in entries:
        scratch.place(attempt.job, repo, entry, folder / entry.path)
        attempt.check()


def check_size(what: str, entries: list[Entry]) -> None:
    size, limit = sum(entry.size for entry in entries), settings.JOB_MEMORY_MB * 1024**2
    if size > limit:
        raise JobFailed(TOO_LARGE, code="too_large", data={"what": what, "size": size, "limit": limit})


def arrange(attempt: Attempt, row: Run, places: Places, *, shares: tuple[float, float] | None = None) -> dict[str, Any]:
    """Check and split the data; what was found is shown at once, even where it ends the run."""
    dev_share, test_share = shares or (row.options.get("dev_share", 0.1), row.options.get("test_share", 0.1))
    attempt.report(0.02, CHECKING)
    arranged = places / "arranged"
    files = {part: str(next((places / "data" / part).iterdir())) for part in PARTS if part in row.files}
    spec = ArrangeSpec(
        task=row.task,
        files=files,
        out_dir=str(arranged),
        fields=row.fields,
        settings=row.settings,
        dev_share=dev_share,
        test_share=test_share,
        seed=row.seed,
    )
    run_verb(
        attempt,
        VerbRun("arrange", spec, readonly=[places / "data"], writable=arranged, share=(0.02, 0.06)),
        spec_folder=places / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 4096), threads=1),
    )
    scratch.collect(arranged / DATA_REPORT_FILE, places / "judged" / DATA_REPORT_FILE, limit=MAX_REPORT_BYTES)
    report = read_json_object(places / "judged" / DATA_REPORT_FILE, limit=MAX_REPORT_BYTES, code="bad_data")
    row.data_report = reports.data_report(report)
    Run.objects.filter(pk=row.pk).update(data_report=row.data_report)
    if any(finding.get("severity") == "error" for finding in row.data_report["findings"]):
        raise JobFailed(DATA_REFUSED, code="data_refused")
    for name, place in ((TRAIN, "rows"), (DEV, "rows"), (INPUTS, "questions"), (GOLD, "answers")):
        if (arranged / name).exists():
            scratch.collect(arranged / name, places / place / name)
            (arranged / name).unlink()
    return report


def result_of(places: Places) -> Path:
    """Return the folder of the model that was made, out of reach of what made it."""
    made = places / "judged" / MODEL_DIR
    if not made.exists():
        limit = settings.JOB_DISK_MB * 1024**2
        scratch.collect_folder(places / "out" / MODEL_DIR, made, files=results.MAX_FILES, limit=limit)
    return made
