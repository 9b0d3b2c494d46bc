"""One repository's leftovers: git objects and large content that no reference leads to. Marked first, let go later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from models_hub import quotas, reaching, rights
from models_hub.models import Commit, GitObject, QuotaAccount, Ref, Repo, RepoBlob, RepoMeasure
from models_hub.reaching import Reached

BATCH = 500


@dataclass(frozen=True)
class Leftovers:
    """What no reference leads to. Rows without their bodies."""

    objects: list[GitObject]
    rights: list[RepoBlob]

    def __bool__(self) -> bool:
        return bool(self.objects or self.rights)

    @property
    def bytes(self) -> int:
        return sum(row.size for row in self.objects) + sum(row.blob.size for row in self.rights)

    def marked_before(self, moment: datetime) -> "Leftovers":
        """Those that were found before this moment, and have been left over ever since."""
        return Leftovers(
            [row for row in self.objects if row.unreachable_since and row.unreachable_since < moment],
            [row for row in self.rights if row.unreferenced_since and row.unreferenced_since < moment],
        )


def find(repo: Repo, reached: Reached) -> Leftovers:
    """Return the leftovers of a repository, none where it is not whole."""
    if not reached.is_whole:
        return Leftovers([], [])
    git = GitObject.objects.filter(repo=repo).defer("data").order_by("pk")
    large = RepoBlob.objects.filter(repo=repo).select_related("blob").order_by("pk")
    return Leftovers(
        [row for row in git.iterator(chunk_size=2000) if row.oid not in reached.everything],
        [row for row in large.iterator(chunk_size=2000) if row.blob.pointer_oid not in reached.everything],
    )


def mark(repo: Repo, found: Leftovers) -> None:
    """Begin the time of grace of what is newly left over, and end that of what is in use again."""
    now = timezone.now()
    marked_objects = GitObject.objects.filter(repo=repo, unreachable_since__isnull=False)
    marked_rights = RepoBlob.objects.filter(repo=repo, unreferenced_since__isnull=False)
    _update(marked_objects, _ids(marked_objects) - {row.pk for row in found.objects}, unreachable_since=None)
    _update(marked_rights, _ids(marked_rights) - {row.pk for row in found.rights}, unreferenced_since=None)
    fresh_objects = {row.pk for row in found.objects if row.unreachable_since is None}
    fresh_rights = {row.pk for row in found.rights if row.unreferenced_since is None}
    _update(GitObject.objects.filter(unreachable_since=None), fresh_objects, unreachable_since=now)
    _update(RepoBlob.objects.filter(unreferenced_since=None), fresh_rights, unreferenced_since=now)


def lock(repo: Repo) -> QuotaAccount:
    """Hold a repository still: no content comes or goes, no reference moves or appears until the transaction ends."""
    account = quotas.hold(repo)
    list(Ref.objects.select_for_update().filter(repo=repo).order_by("pk").values_list("pk", flat=True))
    # A new reference needs the row of its repository, and looks then whether its commit is still there.
    Repo.objects.select_for_update().get(pk=repo.pk)
    return account


def let_go(account: QuotaAccount, repo: Repo, gone: Leftovers) -> int:
    """Remove leftovers of a locked repository for good; returns how many bytes that gives back to the owner.

    The content itself goes later, when no other repository has a right to it.
    """
    oids = [row.oid for row in gone.objects]
    for start in range(0, len(oids), BATCH):
        batch = oids[start : start + BATCH]
        GitObject.objects.filter(repo=repo, oid__in=batch).delete()
        Commit.objects.filter(repo=repo, oid__in=batch).delete()
    freed = sum(row.size for row in gone.objects)
    quotas.charge(account, repo, -freed, reason=quotas.Reason.COLLECTED)
    return freed + rights.take(account, repo, [row.pk for row in gone.rights])


def tidy(repo: Repo, reached: Reached, found: Leftovers, *, before: datetime) -> Leftovers:
    """Mark what was just found left over, let go what was marked before a moment and still is; returns what went."""
    mark(repo, found)
    measure(repo, reached)
    if not found.marked_before(before):
        return Leftovers([], [])
    with transaction.atomic():
        account = lock(repo)
        due = find(repo, reaching.walk(repo)).marked_before(before)
        let_go(account, repo, due)
    measure(repo, reaching.walk(repo))
    return due


def measure(repo: Repo, reached: Reached) -> RepoMeasure:
    """Note how the bytes of a repository are divided now."""
    current, history, unused = divide(repo, reached)
    values = {"current": current, "history": history, "unused": unused, "measured_at": timezone.now()}
    return RepoMeasure.objects.update_or_create(repo=repo, defaults=values)[0]


def divide(repo: Repo, reached: Reached) -> tuple[int, int, int]:
    """Return all bytes that are charged: the head's files, what else references lead to, and what none leads to."""
    git = GitObject.objects.filter(repo=repo).values_list("oid", "size")
    large = RepoBlob.objects.filter(repo=repo).values_list("blob__pointer_oid", "blob__size")
    current = history = unused = 0
    for rows in (git, large):
        for oid, size in rows.iterator(chunk_size=2000):
            if oid in reached.current:
                current += size
            elif oid in reached.everything:
                history += size
            else:
                unused += size
    return current, history, unused + (repo.reservations.aggregate(total=Sum("bytes"))["total"] or 0)


def _ids(rows: QuerySet[Any]) -> set[int]:
    return set(rows.values_list("pk", flat=True))


def _update(rows: QuerySet[Any], ids: Iterable[int], **changes: datetime | None) -> None:
    wanted = sorted(ids)
    for start in range(0, len(wanted), BATCH):
        rows.filter(pk__in=wanted[start : start + BATCH]).update(**changes)
