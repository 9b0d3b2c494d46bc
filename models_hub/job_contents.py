"""Content for workers that share no disk with the portal: what a running job may fetch, and what it hands in."""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import fetching
from models_hub.collecting import GRACE
from models_hub.git.pointers import pointer_oid
from models_hub.models import AwaitedBlob, Blob, Run
from models_hub.storage import blob_store
from portal.errors import NotFound
from portal.models import Job

SALT = "job-content"

Reader = Callable[[Job], Iterable[int]]
_readers: list[Reader] = []


def register_reader(reader: Reader) -> None:
    """Let `reader` say which blobs of no repository a running job may fetch, by their ids."""
    if reader not in _readers:
        _readers.append(reader)


def issue_token(job: Job) -> str:
    """Return a secret that is good for this attempt at this job, for as long as it lasts, and for nothing else."""
    return signing.dumps([job.pk, job.fence], salt=SALT)


def bearer(job_id: int, token: str) -> Job:
    """Return the running job that the token was issued for; whatever is wrong is one and the same NotFound."""
    missing = NotFound(_("There is no such job, or it is not running."))
    try:
        signed_id, fence = signing.loads(token, salt=SALT, max_age=settings.JOB_MAX_SECONDS * 2)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise missing from error
    job = Job.objects.held().filter(pk=job_id, fence=fence).first() if signed_id == job_id else None
    if job is None:
        raise missing
    return job


def find(job: Job, sha256: str) -> Blob:
    """Return large content of one of the repositories that the job's spec names under "reads", or what it keeps."""
    own = {pk for reader in _readers for pk in reader(job)}
    kept = Blob.objects.filter(sha256=sha256, pk__in=own).first() if own else None
    if kept is not None:
        return kept
    kept = Blob.objects.filter(sha256=sha256, pk__in=Run.objects.filter(job=job).values("checkpoint")).first()
    if kept is not None:
        return kept
    blob = Blob.objects.filter(sha256=sha256, repo_blobs__repo__in=job.spec.get("reads", [])).first()
    if blob is None:
        awaited = AwaitedBlob.objects.filter(sha256=sha256, repo__in=job.spec.get("reads", [])).first()
        if awaited is None:
            raise NotFound(_("There is no such content for this job."))
        blob = fetching.ensure(awaited.as_blob())
    return blob


def let_go(blob_id: int) -> None:
    """Have the next collection remove what a job kept and has replaced, without the days of grace that uploads have.

    A long run replaces a large checkpoint many times a day.
    """
    Blob.objects.filter(pk=blob_id, repo_blobs=None).update(unheld_since=timezone.now() - 2 * GRACE)


def keep(chunks: Iterable[bytes], *, sha256: str | None = None, size: int | None = None) -> Blob:
    """Store what a job made. It belongs to no repository: whoever keeps a reference to the row may show it."""
    stored = blob_store().put(chunks, digest=sha256, size=size)
    with transaction.atomic():
        blob, _created = Blob.objects.get_or_create(
            sha256=stored.digest,
            defaults={"size": stored.size, "pointer_oid": pointer_oid(stored.digest, stored.size)},
        )
    return blob
