"""What the hub says of its repositories where only a key is known."""

import re
from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from models_hub.adapting import queues, seeing
from models_hub.models import AnnotationQueue, PullRequest, Repo, Run, Study
from portal import locating, subjects
from portal.models import Asker, Job
from portal.subjects import Subject


def register() -> None:
    subjects.register("repo", _repos)
    subjects.register("pull", _pulls)
    subjects.register("run", _runs)
    subjects.register("study", _studies)
    subjects.register(queues.SUBJECT, _queues)
    locating.locate(r"/(?:(dataset|space)s/)?(\w[\w.-]*)/(\w[\w.-]*)(?:/(?!discussions/).*)?", _located)


def _repos(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for repo in Repo.objects.visible_to(reader).filter(pk__in=pks).select_related("namespace"):
        owner = repo.namespace.user_id
        yield Subject("repo", repo.pk, repo.full_name, repo.path, str(repo.get_kind_display()), author_id=owner)


def _runs(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    runs = list(Run.objects.visible_to(reader).filter(pk__in=pks).select_related("job"))
    own = seeing.own(runs, reader)
    for run in runs:
        # Titles are the owner's own words, so that others see what kind of thing it is and no more.
        title = run.title if run.pk in own else _("Run %(number)d") % {"number": run.pk}
        failed = f" ({run.job.reason_code})" if run.job is not None and run.job.state == Job.State.FAILED else ""
        note = f"{run.get_kind_display()} · {Job.State(run.state).label}{failed}"
        yield Subject("run", run.pk, title, run.get_absolute_url(), _("run"), note, run.owner_id)


def _studies(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for study in Study.objects.visible_to(reader).filter(pk__in=pks):
        yield Subject("study", study.pk, study.title, study.get_absolute_url(), _("search"), author_id=study.owner_id)


def _queues(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for queue in AnnotationQueue.objects.visible_to(reader).filter(pk__in=pks).select_related("data__namespace"):
        yield Subject(
            queues.SUBJECT, queue.pk, queue.title, queue.get_absolute_url(), _("rows to label"),
            author_id=queue.owner_id,
        )  # fmt: skip


def _pulls(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    pulls = PullRequest.objects.filter(pk__in=pks, repo__in=Repo.objects.visible_to(reader))
    for pull in pulls.select_related("repo__namespace"):
        title, path = f"{pull.repo.full_name}#{pull.number}", f"{pull.repo.path}/discussions/{pull.number}"
        yield Subject("pull", pull.pk, title, path, _("pull request"), author_id=pull.author_id)


def _located(found: re.Match[str]) -> str:
    repo = Repo.objects.named(found[1] or Repo.Kind.MODEL, found[2], found[3]).values_list("pk", flat=True).first()
    return f"repo:{repo}" if repo else ""
