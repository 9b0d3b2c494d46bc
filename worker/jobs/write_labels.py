"""The job kind `write_labels`: what people agree on goes into the file, as a commit or a pull request."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from models_hub import browsing, permissions, publishing
from models_hub.adapting import ending, reports
from models_hub.models import DEFAULT_BRANCH, AnnotationQueue, AnnotationRow, Repo
from worker import results, scratch
from worker.attempts import Attempt, JobFailed, TryAgain
from worker.engine.tuning.picking.contracts import FillSpec
from worker.engine_runs import Run, run_verb
from worker.jobs.limits import limits_of
from worker.jobs.training_steps import check_size

GONE = gettext_noop("The queue or its data set was deleted, or you may no longer read it.")
NO_FILE = gettext_noop("The data set no longer has the file of this queue.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, where results are published.")
STORING = gettext_noop("storing the result")
FOLDERS = ("data", "answers", "out", "spec", "made")
MEMORY_MB = 4096


def run(attempt: Attempt) -> None:
    """Write and commit; the job ends in the same transaction."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    queue = _find(attempt)
    head = browsing.resolve_revision(queue.data, DEFAULT_BRANCH)
    try:
        entry = browsing.find(queue.data, head, queue.path)
    except browsing.EntryNotFound:
        raise JobFailed(NO_FILE, code="gone") from None
    rows = list(queue.rows.filter(state=AnnotationRow.State.SETTLED, is_written=False).order_by("position"))
    with scratch.folder_for(attempt.job) as folder:
        for name in FOLDERS:
            (folder / name).mkdir()
        check_size(queue.path, [entry])
        scratch.place(attempt.job, queue.data, entry, folder / "data" / entry.name)
        counts = _fill(attempt, queue, rows, folder, entry.name)
        attempt.report(0.9, STORING)
        attempt.check()
        made = folder / "made" / entry.name
        file = results.file_of(attempt.job, made, queue.path) if counts.get("written") else None
        with transaction.atomic():
            written = counts | (_commit(queue, file, head.oid, attempt.job.spec["as_pull"]) if file else {})
            _note_written(rows)
            AnnotationQueue.objects.filter(pk=queue.pk).update(written=reports.bounded(written))
            attempt.job.finish({"page": queue.get_absolute_url()})


def _find(attempt: Attempt) -> AnnotationQueue:
    rows = AnnotationQueue.objects.select_related("owner", "data__namespace", "data__restriction")
    queue = rows.filter(pk=attempt.job.spec["queue"], writing=attempt.job).first()
    if (
        queue is None
        or not queue.owner.is_active
        or not Repo.objects.visible_to(queue.owner).filter(pk=queue.data_id).exists()
        or not permissions.can_download(queue.owner, queue.data)
    ):
        raise JobFailed(GONE, code="gone")
    return queue


def _note_written(rows: list[AnnotationRow]) -> None:
    """Mark the rows as written, but for those whose answer was changed meanwhile."""
    now = dict(AnnotationRow.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "settled"))
    same = [row.pk for row in rows if now.get(row.pk) == row.settled]
    AnnotationRow.objects.filter(pk__in=same).update(is_written=True)


def _fill(
    attempt: Attempt, queue: AnnotationQueue, rows: list[AnnotationRow], folder: Path, name: str
) -> dict[str, Any]:
    """Have the answers written into a copy of the file; returns how many were, and why others were not."""
    answers = folder / "answers" / "answers.jsonl"
    with answers.open("w", encoding="utf-8") as lines:
        for row in rows:
            answer = {"line": row.line, "question": row.question, "value": row.settled["value"]}
            lines.write(json.dumps(answer, ensure_ascii=False) + "\n")
    spec = FillSpec(
        task=queue.task,
        file=str(folder / "data" / name),
        answers=str(answers),
        out=str(folder / "out" / name),
        fields=queue.fields,
        labels=queue.labels,
    )
    verb = Run("fill", spec, readonly=[folder / "data", folder / "answers"], writable=folder / "out", share=(0.1, 0.9))
    limits = limits_of(memory_mb=min(settings.JOB_MEMORY_MB, MEMORY_MB), threads=1)
    found = run_verb(attempt, verb, spec_folder=folder / "spec", limits=limits)
    scratch.collect(folder / "out" / name, folder / "made" / name)
    return {key: found[key] for key in ("written", "answered_before", "gone") if type(found.get(key)) is int}


def _commit(queue: AnnotationQueue, file: ending.Made, parent: str, as_pull: bool) -> dict[str, Any]:
    title = _("Labels of queue %(number)d") % {"number": queue.pk}
    ending.give(queue.data, [file])
    changes = ending.changes_of([file])
    if as_pull:
        pull, commit = publishing.propose(repo=queue.data, by=queue.owner, changes=changes, title=title)
        return {"commit": commit.oid, "pull": pull.number}
    commit = publishing.commit(repo=queue.data, by=queue.owner, changes=changes, title=title, parent=parent)
    return {"commit": commit.oid, "pull": None}
