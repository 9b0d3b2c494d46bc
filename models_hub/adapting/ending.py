"""What a run has made becomes a version: a repository that only its owner sees, or a pull request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from models_hub import publishing, quotas, rights
from models_hub.adapting import aids, targets, unnaming
from models_hub.changes import PutFile, PutLarge
from models_hub.models import Blob, Repo, Run
from portal.errors import DomainError, NotAllowed, NotFound
from portal.models import Asker, Event, Job

PUBLISH = "publish_run"


@dataclass(frozen=True)
class Made:
    """One file of the result: small ones with their bytes, large ones as content that is stored already."""

    path: str
    content: bytes | None = None
    blob: Blob | None = None


def finish(run: Run, *, job: Job, files: Sequence[Made], found: dict[str, Any]) -> Run:
    """Commit the files and end the run and its job, all or nothing; LeaseLost when the job is no longer the caller's.

    `found` has columns of the run: summary, scores, value.
    """
    with transaction.atomic():
        if files:
            found = found | _published(_locked(run), files)
        return _end(run, job, {"checkpoint": None, "checkpoint_step": 0, **found, "finished_at": Now()})


def set_aside(run: Run, *, job: Job, packed: Blob, found: dict[str, Any]) -> Run:
    """End a trial of a study: its model is kept, packed, until the study knows whether it is the best."""
    with transaction.atomic():
        return _end(run, job, {**found, "checkpoint": packed, "checkpoint_step": 0, "finished_at": Now()})


def hand_over(run: Run, *, job: Job, packed: Blob, found: dict[str, Any]) -> Job:
    """End the job of a worker that cannot publish; another job, for a worker with the portal's storage, does."""
    with transaction.atomic():
        row = _end(run, job, {**found, "checkpoint": packed, "checkpoint_step": 0}, is_end=False)
        return publish_packed(row)


def keep(run: Run, *, job: Job, packed: Blob, found: dict[str, Any], error: DomainError) -> None:
    """End a job that made a model which cannot be published now: trying again publishes it and trains no more."""
    with transaction.atomic():
        row = _locked(run)
        for name, value in {**found, "checkpoint": packed, "checkpoint_step": 0}.items():
            setattr(row, name, value)
        if job.fail(code=error.code, reason=error.message):
            row.save(update_fields=(*found, "checkpoint", "checkpoint_step"))


def publish_packed(run: Run) -> Job:
    """Have the packed model of a run published, in the transaction that wants it."""
    run.job = Job.enqueue(
        PUBLISH,
        spec={"run": run.pk, "url": run.get_absolute_url()},
        owner=run.owner,
        title=run.title,
        queue="light",
        needs={"store": True},
        about=aids.read_by(run),
    )
    run.finished_at = None
    run.save(update_fields=("job", "finished_at"))
    return run.job


def publish_trial(run: Run) -> Job:
    """Make a version of the model of a trial; raises NotFound where it was not kept."""
    with transaction.atomic():
        row = Run.objects.select_for_update(of=("self",)).select_related("owner", "study").get(pk=run.pk)
        if row.study is None or not row.has_packed_model or not row.is_over:
            raise NotFound(_("The model of this trial was not kept: only the best ones are."))
        return publish_packed(row)


def _end(run: Run, job: Job, changes: dict[str, Any], *, is_end: bool = True) -> Run:
    row = _locked(run)
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=tuple(changes))
    job.finish({"run": run.pk, "page": run.get_absolute_url()})
    if is_end:
        Event.record("run.finished", subject=f"run:{run.pk}", by=run.owner, kind=run.kind, study=run.study_id)
    return row


def _locked(run: Run) -> Run:
    """Return the row as it is now, locked; raises NotFound where it was deleted while it ran."""
    # "of" as the owner's row is nobody's to lock here.
    row = Run.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=run.pk).first()
    if row is None:
        raise NotFound(_("The run was deleted while it ran."), code="gone")
    return row


def _published(run: Run, files: Sequence[Made]) -> dict[str, Any]:
    if not run.owner.is_active:
        raise NotAllowed(_("The account of the owner is closed."))
    if not aids.are_readable(run):
        raise NotAllowed(_("The owner of the run may no longer read the model or the data set."), code="closed")
    repo = targets.check(run.target, by=run.owner)
    title = _("Result of run %(number)d") % {"number": run.pk}
    if repo is not None:
        give(repo, files)
        pull, commit = publishing.propose(repo=repo, by=run.owner, changes=changes_of(files), title=title)
        return {"result": repo, "result_commit": commit.oid, "result_pull": pull.number}
    owner, _slash, name = run.target.partition("/")
    repo = publishing.create_repo(by=run.owner, namespace=owner, kind=Repo.Kind.MODEL, name=name, private=True)
    give(repo, files)
    commit = publishing.commit(repo=repo, by=run.owner, changes=changes_of(files), title=title)
    return {"result": repo, "result_commit": commit.oid, "result_pull": None}


def give(repo: Repo, files: Sequence[Made]) -> None:
    """Give a repository the right to the stored content of files, in the transaction that commits them."""
    account = quotas.hold(repo)
    for file in files:
        if file.blob is not None:
            rights.give(account, repo, file.blob)


def changes_of(files: Sequence[Made]) -> list[PutFile | PutLarge]:
    """Return the changes of a commit that puts the files."""
    return [
        PutLarge(file.path, file.blob.sha256, file.blob.size)
        if file.blob is not None
        else PutFile(file.path, file.content or b"")
        for file in files
    ]


def told_by_publishing(run: Run) -> list[str]:
    """Return the names that the card and the history of a private result hold, and that not everybody may see yet."""
    if run.result is None or not run.result.private or run.result_pull is not None:
        return []
    return sorted(repo.full_name for repo in _unseen([run], by=AnonymousUser()))


def told_by_showing(repo: Repo, reader: Asker) -> list[str]:
    """Return the names that a private model holds since runs made it, and that not everybody may see.

    A reader who cannot see one of them either is told that there are such.
    """
    if not repo.private or repo.kind != Repo.Kind.MODEL:
        return []
    runs = Run.objects.filter(result=repo).shown()
    told = _unseen(runs, by=AnonymousUser())
    kept = _unseen(runs, by=reader)
    names = sorted(one.full_name for one in told - kept)
    return [*names, *([_("others that you cannot see")] if kept else [])]


def _unseen(runs: Iterable[Run], *, by: Asker) -> set[Repo]:
    """Return what runs read that somebody may not see."""
    read = [repo for run in runs for repo in (run.base, run.data, *(aid.repo for aid in aids.of(run).values()))]
    named = {repo.pk: repo for repo in read if repo is not None}
    seen = Repo.objects.visible_to(by).filter(pk__in=named).values_list("pk", flat=True)
    return {named[pk] for pk in set(named) - set(seen)}


def publish(run: Run, *, with_names: bool = True) -> None:
    """Show a result of its own to everybody, with the names of what others cannot see or without; the owner's wish."""
    if run.result is None:
        raise NotFound(_("This run has no result that could be published."))
    if run.result_pull is not None:
        return
    if not with_names and told_by_publishing(run):
        unnaming.show_without_names(run)
    else:
        publishing.set_private(run.result, by=run.owner, private=False)
