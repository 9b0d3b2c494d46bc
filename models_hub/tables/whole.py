"""Reading all of a large table, as a job: asked for by somebody who waits for it, kept for everybody."""

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import browsing, permissions
from models_hub.browsing import EntryNotFound
from models_hub.models import Commit, Repo
from models_hub.tables import kept
from models_hub.tables.reading import WHOLE, Source
from portal.errors import Conflict, SignInRequired
from portal.models import Asker, Job, User

KIND = "read_table"
QUEUE = "light"
MAX_UNFINISHED = 3  # of one person
MAX_ADDRESS = 2000


def job_of(source: Source) -> Job | None:
    """Return the latest job that reads these files, of whomever; one query for each time that it was asked for."""
    latest: Job | None = None
    while job := Job.objects.filter(idempotency_key=_key_after(source, latest)).first():
        latest = job
    return latest


def request(source: Source, commit: Commit, *, by: Asker, page: str) -> Job:
    """Ask for a table of all rows, or return the job that makes it already; `page` is where it will be seen.

    Raises Conflict or SignInRequired.
    """
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    permissions.require_download(by, source.repo)
    latest = job_of(source)
    if latest is not None and (not latest.is_finished or _is_done(latest, source)):
        return latest
    if Job.objects.unfinished().filter(owner=by, kind=KIND).count() >= MAX_UNFINISHED:
        raise Conflict(_("You have asked for several tables already. Wait until one of them is read."))
    with transaction.atomic():
        return Job.enqueue(
            KIND,
            spec={
                "repo": source.repo.pk,
                "commit": commit.oid,
                "paths": [entry.path for entry in source.entries],
                "delimiter": source.delimiter,
                "reads": [source.repo.pk],
                "page": page[:MAX_ADDRESS],
            },
            owner=by,
            queue=QUEUE,
            needs={"store": True},
            title=f"{source.repo.full_name}: {source.entries[0].path}",
            idempotency_key=_key_after(source, latest),
        )


def source_of(job: Job) -> Source | None:
    """Return what a job is to read, None when the repository or a file of it is gone."""
    spec = job.spec
    repo = Repo.objects.select_related("namespace").filter(pk=spec["repo"]).first()
    commit = Commit.objects.filter(repo=repo, oid=spec["commit"]).first() if repo else None
    if repo is None or commit is None:
        return None
    try:
        entries = [browsing.find(repo, commit, path) for path in spec["paths"]]
    except EntryNotFound:
        return None
    return Source(repo, entries, spec["delimiter"])


def _is_done(job: Job, source: Source) -> bool:
    return job.state == Job.State.SUCCEEDED and kept.find(source.key(WHOLE)) is not None


def _key_after(source: Source, job: Job | None) -> str:
    """Return the key of the job that is asked for after another one has ended."""
    return f"table:{source.key(WHOLE)}:{job.pk if job else 0}"
