"""The job kind `pick_rows`: a model says of which rows without an answer it is least sure; people are asked those.

The file is read in a sandbox that sees no model, the model runs in one that sees no answers, and what it said is read
in a third. Answers of the model are kept as those of evaluations are, so that a lost worker loses little.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from leaderboard import model_files
from models_hub import browsing, permissions
from models_hub.adapting import queues
from models_hub.models import AnnotationQueue, Repo
from worker import node, scratch
from worker.answered import Answered
from worker.attempts import Attempt, JobFailed
from worker.engine.contracts import EvaluateSpec
from worker.engine.decoding import parse_json, read_json_object
from worker.engine.tuning.picking.contracts import (
    KNOWN,
    MAX_CHARACTERS,
    MAX_WORDS,
    POOL,
    POOL_REPORT,
    PickSpec,
    PoolSpec,
)
from worker.engine_runs import Run, run_verb
from worker.jobs.limits import limits_of
from worker.jobs.training_steps import check_size

GONE = gettext_noop("The queue, its model or its data set was deleted.")
CLOSED = gettext_noop("The owner of the queue may no longer read the model or the data set.")
ALL_DONE = gettext_noop("Every row that can be read has an answer already: there is nothing to label.")
NO_LABELS = gettext_noop("The rows name fewer than two labels. Name the labels when you ask for the queue.")
COLLECTING = gettext_noop("collecting files")
READING = gettext_noop("reading the rows")
CHOOSING = gettext_noop("choosing rows")
FOLDERS = ("model", "data", "spec", "read", "questions", "out", "said", "chosen", "judged")
MAX_FILE = 1024**3
MAX_REPORT = 1024**2
PICKED = "picked.jsonl"
MEMORY_MB = 4096


@dataclass(frozen=True)
class Places:
    """The folders of one attempt."""

    root: Path

    def __post_init__(self) -> None:
        for name in FOLDERS:
            (self.root / name).mkdir()

    def __truediv__(self, name: str) -> Path:
        return self.root / name


def run(attempt: Attempt) -> None:
    """Fill the queue; the job ends in the same transaction."""
    queue = _find(attempt)
    with scratch.folder_for(attempt.job) as folder:
        places = Places(folder)
        _collect(attempt, queue, places)
        report = _pool(attempt, queue, places)
        labels = [label for label in report.get("labels") or [] if isinstance(label, str)]
        if not report.get("pool"):
            raise JobFailed(ALL_DONE, code="nothing_open")
        if not 2 <= len(labels) <= queues.MAX_LABELS:
            raise JobFailed(NO_LABELS, code="no_labels")
        if queue.base is not None:
            _doubt(attempt, queue, places, labels)
        chosen = _pick(attempt, queue, places, labels)
        rows = read_rows(places / "judged" / PICKED, queue)
        queues.filled(queue, job=attempt.job, rows=rows, labels=labels, report={**report, **chosen, "labels": []})


def _find(attempt: Attempt) -> AnnotationQueue:
    """Return the queue, whose owner must still be allowed what was asked for."""
    rows = AnnotationQueue.objects.select_related("owner", "base__namespace", "data__namespace")
    queue = rows.filter(pk=attempt.job.spec["queue"], job=attempt.job, filled_at=None).first()
    if queue is None or (queue.base is None and queue.base_commit):
        raise JobFailed(GONE, code="gone")
    wanted = {repo.pk for repo in (queue.base, queue.data) if repo is not None}
    seen = Repo.objects.visible_to(queue.owner).select_related("namespace", "restriction").filter(pk__in=wanted)
    may = {repo.pk for repo in seen if permissions.can_download(queue.owner, repo)}
    if not queue.owner.is_active or wanted - may:
        raise JobFailed(CLOSED, code="closed")
    return queue


def _collect(attempt: Attempt, queue: AnnotationQueue, places: Places) -> None:
    attempt.report(0.0, COLLECTING)
    entry = browsing.find(queue.data, browsing.resolve_revision(queue.data, queue.data_commit), queue.path)
    check_size(queue.path, [entry])
    scratch.place(attempt.job, queue.data, entry, places / "data" / entry.name)
    if queue.base is None:
        return
    entries = model_files.entries_of(queue.base, browsing.resolve_revision(queue.base, queue.base_commit))
    check_size(queue.base.full_name, entries)
    for file in entries:
        scratch.place(attempt.job, queue.base, file, places / "model" / file.path)
        attempt.check()


def _pool(attempt: Attempt, queue: AnnotationQueue, places: Places) -> dict[str, Any]:
    """Find the rows without an answer; returns what was counted, and the labels."""
    attempt.report(0.02, READING)
    out = places / "read"
    spec = PoolSpec(
        task=queue.task,
        file=str(next((places / "data").iterdir())),
        out_dir=str(out),
        fields=queue.fields,
        labels=queue.labels,
        seed=queue.seed,
    )
    _light(attempt, Run("pool", spec, readonly=[places / "data"], writable=out, share=(0.02, 0.08)), places)
    for name, place in ((POOL, "questions"), (KNOWN, "judged"), (POOL_REPORT, "judged")):
        scratch.collect(out / name, places / place / name, limit=MAX_FILE)
    return read_json_object(places / "judged" / POOL_REPORT, limit=MAX_REPORT, code="bad_data")


def _doubt(attempt: Attempt, queue: AnnotationQueue, places: Places, labels: list[str]) -> None:
    """Let the model answer all rows of the pool; what an earlier attempt answered is taken."""
    out, threads = places / "out", node.threads_per_job()
    spec = EvaluateSpec(
        task=queue.task,
        model_dir=str(places / "model"),
        inputs=str(places / "questions" / POOL),
        out_dir=str(out),
        settings={"labels": labels},
        resume=f"{queue.base_commit} {queue.data_commit} {queue.path}",
        seed=queue.seed,
        threads=threads,
    )
    answered = Answered(attempt, out)
    answered.restore()
    verb = Run(
        "doubt",
        spec,
        readonly=[places / "model", places / "questions"],
        writable=out,
        share=(0.08, 0.9),
        may_use_gpu=True,
    )
    try:
        run_verb(
            attempt,
            verb,
            spec_folder=places / "spec",
            limits=limits_of(memory_mb=settings.JOB_MEMORY_MB, threads=threads),
            meanwhile=answered.save,
        )
    finally:
        answered.save(at_once=True)
    scratch.collect(out / "predictions.jsonl", places / "said" / "predictions.jsonl", limit=MAX_FILE)


def _pick(attempt: Attempt, queue: AnnotationQueue, places: Places, labels: list[str]) -> dict[str, Any]:
    attempt.report(0.9, CHOOSING)
    predictions = places / "said" / "predictions.jsonl"
    spec = PickSpec(
        task=queue.task,
        settings={"labels": labels},
        pool=str(places / "questions" / POOL),
        known=str(places / "judged" / KNOWN),
        predictions=str(predictions) if queue.base is not None else None,
        out=str(places / "chosen" / PICKED),
        count=queue.count,
        order=queue.order,  # type: ignore[arg-type]
        seed=queue.seed,
    )
    seen = [places / "questions", places / "judged", places / "said"]
    found = _light(attempt, Run("pick", spec, readonly=seen, writable=places / "chosen", share=(0.9, 0.99)), places)
    scratch.collect(places / "chosen" / PICKED, places / "judged" / PICKED, limit=MAX_FILE)
    return found


def _light(attempt: Attempt, verb: Run, places: Places) -> dict[str, Any]:
    """Run a verb that loads no model."""
    limits = limits_of(memory_mb=min(settings.JOB_MEMORY_MB, MEMORY_MB), threads=1)
    return run_verb(attempt, verb, spec_folder=places / "spec", limits=limits)


def read_rows(path: Path, queue: AnnotationQueue) -> list[dict[str, Any]]:
    """Return the chosen rows in the form that pages show; what has another one is left out."""
    with path.open("rb") as file:
        lines = [file.readline(MAX_REPORT) for _row in range(queue.count)]
    return [row for line in lines if (row := _row(line, queue)) is not None]


def _row(line: bytes, queue: AnnotationQueue) -> dict[str, Any] | None:
    try:
        row = parse_json(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or type(row.get("line")) is not int or not 0 < row["line"] < 2**31:
        return None
    question, doubt = row.get("question"), row.get("doubt")
    if not isinstance(question, dict) or not _is_question(question, has_tags=queue.has_tags):
        return None
    guess = row.get("guess")
    is_guess = isinstance(guess, dict) and "value" in guess
    return {
        "line": row["line"],
        "question": question,
        "guess": guess if is_guess else {},
        "doubt": float(doubt) if isinstance(doubt, int | float) and 0 <= doubt <= 1 else None,
    }


def _is_question(question: dict[str, Any], *, has_tags: bool) -> bool:
    if has_tags:
        words = question.get("tokens")
        return set(question) == {"tokens"} and isinstance(words, list) and len(words) <= MAX_WORDS and _fit(words)
    return "text" in question and set(question) <= {"text", "text2"} and _fit(list(question.values()))


def _fit(texts: list[Any]) -> bool:
    """Whether they are texts that a row of the database can hold."""
    return (
        all(isinstance(text, str) and "\x00" not in text for text in texts)
        and sum(map(len, texts)) <= MAX_CHARACTERS + MAX_WORDS
    )
