"""Room among the large content that was fetched from the upstream hub: what nobody asked for the longest is let go.

It is awaited again then, as before it was fetched, and comes back when somebody asks. Never let go is what a repository
of somebody here holds too, what the upstream hub may no longer give, what a job reads, and what was asked for a moment
ago. Whoever is just being sent a file has it open and gets all of it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, Min, OuterRef, ProtectedError, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from models_hub import quotas, rights
from models_hub.models import AwaitedBlob, Blob, ContentUse, Mirror, Repo, RepoBlob
from models_hub.storage import blob_store
from portal.models import Job

# Longer than from the question for a file to the moment at which it is open, or from its bytes to its row.
RECENT = timedelta(minutes=10)
NOTED_EVERY = timedelta(minutes=1)
USED = Max(Coalesce("repo_blobs__use__used_at", "repo_blobs__created_at"))


@dataclass(frozen=True)
class Kept:
    """What mirrors keep on the disk and no other repository does; `loose` of it may go. A limit of 0 is none."""

    contents: int
    bytes: int
    loose: int
    limit: int
    oldest: datetime | None


@dataclass(frozen=True)
class LetGo:
    """What was let go of, or would be."""

    contents: int = 0
    bytes: int = 0


def note_use(repo: Repo, blob: Blob | None) -> None:
    """Note that somebody asks for a mirror's copy of content, once a minute at most."""
    if blob is None or blob.awaited_by is not None or not repo.namespace.is_mirror:
        return
    now = timezone.now()
    right = RepoBlob.objects.filter(repo=repo, blob=blob).exclude(use__used_at__gt=now - NOTED_EVERY).first()
    if right is not None:
        with suppress(IntegrityError), transaction.atomic():  # it may just have been let go
            ContentUse.objects.update_or_create(right=right, defaults={"used_at": now})


def kept() -> Kept:
    """Return what mirrors keep now."""
    mirrored = _mirrored()
    found = mirrored.aggregate(bytes=Sum("size"))
    oldest = mirrored.annotate(used=USED).aggregate(oldest=Min("used"))["oldest"]
    loose = mirrored.filter(~Exists(_fixed_rights())).aggregate(bytes=Sum("size"))["bytes"] or 0
    return Kept(mirrored.count(), found["bytes"] or 0, loose, settings.UPSTREAM_KEEP_BYTES, oldest)


def make_room(needed: int = 0, *, dry_run: bool = False, check: Callable[[], None] = lambda: None) -> LetGo:
    """Let go of content until what is kept, and `needed` bytes more, are within the limit, or nothing more may go."""
    if not settings.UPSTREAM_KEEP_BYTES:
        return LetGo()
    over = (_mirrored().aggregate(bytes=Sum("size"))["bytes"] or 0) + needed - settings.UPSTREAM_KEEP_BYTES
    contents = freed = 0
    if over > 0:
        for pk, size in _loose().values_list("pk", "size"):
            check()
            if freed >= over:
                break
            if dry_run or _let_go(pk):
                contents, freed = contents + 1, freed + size
    return LetGo(contents, freed)


def _mirrored() -> QuerySet[Blob]:
    """Return content that lies here for the sake of mirrors alone; what is in pieces was sent by people here."""
    mirrors = Mirror.objects.values("repo_id")
    others = RepoBlob.objects.filter(blob=OuterRef("pk")).exclude(repo__in=mirrors)
    of_mirrors = RepoBlob.objects.filter(repo__in=mirrors).values("blob_id")
    return Blob.objects.filter(~Exists(others), pk__in=of_mirrors, in_pieces=False)


def _loose() -> QuerySet[Blob]:
    """Return what may go, beginning with what nobody asked for the longest."""
    mirrored = _mirrored().filter(~Exists(_fixed_rights()))
    return mirrored.annotate(used=USED).filter(used__lt=timezone.now() - RECENT).order_by("used", "pk")


def _fixed_rights() -> QuerySet[RepoBlob]:
    """Return the rights to a content that keep it here: of mirrors that could not fetch it again, or that jobs read."""
    reads = Job.objects.unfinished().values_list("spec__reads", flat=True)
    read = {pk for pks in reads if isinstance(pks, list) for pk in pks if isinstance(pk, int)}
    followed = Mirror.objects.filter(upstream=settings.UPSTREAM_HUB, gone_at=None).exclude(repo__in=read)
    return RepoBlob.objects.filter(blob=OuterRef("pk")).exclude(repo__in=followed.values("repo_id"))


def _let_go(pk: int) -> bool:
    """Have all mirrors that hold a content await it again, and remove it; False when somebody needs it by now."""
    held = RepoBlob.objects.filter(blob=pk).select_related("repo", "blob")
    try:
        with transaction.atomic():
            owners = sorted({right.repo.namespace_id for right in held.all()})
            accounts = {namespace_id: quotas.hold_owner(namespace_id) for namespace_id in owners}
            blob = Blob.objects.select_for_update().filter(pk=pk).first()
            found = list(held.all())
            if blob is None or {right.repo.namespace_id for right in found} - set(accounts):
                return False
            if not _loose().filter(pk=pk).exists():
                return False
            AwaitedBlob.objects.bulk_create([_awaited(right) for right in found], ignore_conflicts=True)
            for right in found:
                rights.take(accounts[right.repo.namespace_id], right.repo, [right.pk])
            blob.delete()
    except ProtectedError:
        return False
    is_wanted = partial(rights.is_wanted, blob.sha256)
    blob_store().discard(blob.sha256, is_wanted=is_wanted, lease=RECENT.total_seconds())
    return True


def _awaited(right: RepoBlob) -> AwaitedBlob:
    blob = right.blob
    return AwaitedBlob(
        repo=right.repo, sha256=blob.sha256, size=blob.size, pointer_oid=blob.pointer_oid, dtypes=blob.dtypes,
        header=blob.header,
    )  # fmt: skip
