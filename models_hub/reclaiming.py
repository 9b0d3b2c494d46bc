"""Room made at once instead of after the time of grace: shown first, then exactly what was shown."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import reaching, tidying
from models_hub.models import Blob, GitObject, Repo
from models_hub.publishing import require_manager
from models_hub.reaching import Reached
from models_hub.tidying import Leftovers
from portal.errors import Conflict
from portal.models import Asker, Event

# What came less than this ago may belong to a commit that is on its way.
YOUNG = timedelta(hours=1)


@dataclass(frozen=True)
class LeftFile:
    """Large content that no branch, tag or pull request leads to; `name` where an old version had it."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Reclaimable:
    """What would go. `digest` stands for exactly this."""

    leftovers: Leftovers
    versions: list[LeftFile]
    uploads: list[LeftFile]
    digest: str

    @property
    def bytes(self) -> int:
        return self.leftovers.bytes

    @property
    def git_bytes(self) -> int:
        return sum(row.size for row in self.leftovers.objects)


def preview(repo: Repo, reached: Reached | None = None) -> Reclaimable:
    """Return what can be reclaimed now: old versions' files that nothing leads to, and uploads never committed."""
    found = tidying.find(repo, reached or reaching.walk(repo))
    before = timezone.now() - YOUNG
    going = Leftovers(found.marked_before(before).objects, [row for row in found.rights if row.created_at < before])
    trees = [row.oid for row in found.objects if row.type == GitObject.Type.TREE]
    names = reaching.files_of(repo, trees)
    files = [(row.blob.pointer_oid in names, _file(row.blob, names)) for row in going.rights]
    files.sort(key=lambda pair: (-pair[1].size, pair[1].sha256))
    ids = [f"object {row.pk}" for row in going.objects] + [f"right {row.pk}" for row in going.rights]
    return Reclaimable(
        leftovers=going,
        versions=[file for was_committed, file in files if was_committed],
        uploads=[file for was_committed, file in files if not was_committed],
        digest=hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest(),
    )


def reclaim(repo: Repo, *, by: Asker, digest: str) -> int:
    """Remove what a preview with this digest showed; returns how many bytes came back.

    Raises Conflict, removing nothing, when it would be anything else by now.
    """
    user = require_manager(by, repo)
    with transaction.atomic():
        account = tidying.lock(repo)
        going = preview(repo)
        if going.digest != digest or not going.leftovers:
            raise Conflict(_("The repository has changed since you looked. Look at the list again."))
        freed = tidying.let_go(account, repo, going.leftovers)
        Event.record(
            "repo.storage_reclaimed",
            subject=f"repo:{repo.pk}",
            by=user,
            bytes=freed,
            digests=[file.sha256 for file in (*going.versions, *going.uploads)],
        )
    tidying.measure(repo, reaching.walk(repo))
    return freed


def _file(blob: Blob, names: dict[str, str]) -> LeftFile:
    return LeftFile(names.get(blob.pointer_oid, ""), blob.sha256, blob.size)
