"""Locks on files: who works on what cannot be merged. They bind git-lfs, which refuses its user's push."""

import hashlib
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from models_hub import permissions
from models_hub.checking import normalize_path, shown
from models_hub.models import FileLock, Repo
from models_hub.publishing import require_writer
from portal.errors import Conflict, NotAllowed, NotFound, TooLarge
from portal.models import Asker, Event

MAX_LOCKS = 10_000  # of one repository


class Locked(Conflict):
    """Somebody has locked the file already; `lock` is that lock."""

    code = "locked"

    def __init__(self, message: str, lock: FileLock) -> None:
        super().__init__(message)
        self.lock = lock


@dataclass(frozen=True)
class Page:
    """Some locks of a repository in the order of their ids, and where the next page begins."""

    locks: list[FileLock]
    next: int | None


def lock(repo: Repo, *, by: Asker, path: str) -> FileLock:
    """Lock a file, which need not exist yet; raises Locked when it is locked already."""
    user, path = require_writer(by, repo), normalize_path(path)
    if FileLock.objects.filter(repo=repo).count() >= MAX_LOCKS:
        raise TooLarge(_("A repository may have at most %(max)d locks.") % {"max": MAX_LOCKS})
    try:
        with transaction.atomic():
            made = FileLock.objects.create(repo=repo, path=path, path_digest=_digest(path), owner=user)
            Event.record("repo.file_locked", subject=f"repo:{repo.pk}", by=user, path=path)
    except IntegrityError as error:
        there = FileLock.objects.select_related("owner").filter(repo=repo, path_digest=_digest(path)).first()
        if there is None:
            raise
        raise Locked(_("“%(path)s” is locked already.") % {"path": shown(path)}, there) from error
    return made


def unlock(repo: Repo, *, by: Asker, number: int, force: bool = False) -> FileLock:
    """Give a file free: its own lock anybody who may write, that of somebody else with `force` an admin."""
    user = require_writer(by, repo)
    found = FileLock.objects.select_related("owner").filter(repo=repo, pk=number).first()
    if found is None:
        raise NotFound(_("There is no such lock."))
    if found.owner_id != user.pk and not (force and permissions.can_manage(user, repo)):
        raise NotAllowed(
            _("“%(path)s” is locked by %(owner)s. An admin of the owner may unlock it with --force.")
            % {"path": shown(found.path), "owner": found.owner.username}
        )
    with transaction.atomic():
        FileLock.objects.filter(pk=found.pk).delete()
        Event.record("repo.file_unlocked", subject=f"repo:{repo.pk}", by=user, path=found.path)
    return found


def listed(repo: Repo, *, path: str = "", number: int | None = None, start: int = 0, limit: int) -> Page:
    """Return locks from the id `start` on, at most `limit`: all, or that of a path or id."""
    rows = FileLock.objects.filter(repo=repo, pk__gte=start).select_related("owner").order_by("pk")
    if path:
        rows = rows.filter(path_digest=_digest(path))
    if number is not None:
        rows = rows.filter(pk=number)
    found = list(rows[: limit + 1])
    return Page(found[:limit], found[limit].pk if len(found) > limit else None)


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
