"""A repository's right to large content: given with the bytes, charged to the owner, taken away when it is let go."""

from collections.abc import Iterable, Mapping

from django.db.models import Sum
from django.utils.translation import gettext as _

from models_hub import quotas
from models_hub.git.pointers import pointer_oid
from models_hub.models import Blob, BlockedDigest, QuotaAccount, Repo, RepoBlob, Xorb
from models_hub.quotas import Reason
from portal.errors import NotAllowed

BATCH = 500


def find_or_add(sha256: str, size: int, *, in_pieces: bool = False, xet_hash: str = "") -> tuple[Blob, bool]:
    """Return the row of content whose bytes were just verified, and whether it is new.

    It is locked, for the collector must not take it before somebody has a right to it.
    """
    return Blob.objects.select_for_update(no_key=True).get_or_create(
        sha256=sha256,
        defaults={
            "size": size,
            "pointer_oid": pointer_oid(sha256, size),
            "in_pieces": in_pieces,
            "xet_hash": xet_hash,
        },
    )


def give(account: QuotaAccount, repo: Repo, blob: Blob, *, used: Mapping[int, int] | None = None) -> None:
    """Give a right, in the transaction that holds the account; raises StorageFull.

    `used` says how many bytes of which xorbs the content uses, so that they are not charged twice.
    """
    if BlockedDigest.objects.filter(sha256=blob.sha256).exists():
        raise NotAllowed(
            _("Content with the sha256 %(sha)s was removed by moderators and may not come back.") % {"sha": blob.sha256}
        )
    right, created = RepoBlob.objects.get_or_create(repo=repo, blob=blob)
    if created:
        quotas.use_xorbs(account, repo, used or {})
        quotas.charge(account, repo, blob.size, reason=Reason.CONTENT)
    elif right.unreferenced_since:
        RepoBlob.objects.filter(pk=right.pk).update(unreferenced_since=None)
    if blob.unheld_since:
        Blob.objects.filter(pk=blob.pk).update(unheld_since=None)


def renew(repo: Repo, digests: Iterable[str]) -> None:
    """Note that somebody is about to use content that the repository has, so that the collector leaves it there.

    Call it before the rights are looked up: what was taken away just before is then not found.
    """
    wanted = list(digests)
    for start in range(0, len(wanted), BATCH):
        marked = RepoBlob.objects.filter(repo=repo, unreferenced_since__isnull=False)
        marked.filter(blob__sha256__in=wanted[start : start + BATCH]).update(unreferenced_since=None)


def take(account: QuotaAccount, repo: Repo, right_ids: Iterable[int]) -> int:
    """Take rights away, in the transaction that holds the account; returns how many bytes that gives back."""
    freed, wanted = 0, list(right_ids)
    for start in range(0, len(wanted), BATCH):
        rows = RepoBlob.objects.filter(repo=repo, pk__in=wanted[start : start + BATCH])
        freed += rows.aggregate(total=Sum("blob__size"))["total"] or 0
        rows.delete()
    quotas.charge(account, repo, -freed, reason=Reason.COLLECTED)
    return freed


def is_wanted(digest: str) -> bool:
    """Say whether a row needs this file."""
    return Blob.objects.filter(sha256=digest, in_pieces=False).exists() or Xorb.objects.filter(key=digest).exists()
