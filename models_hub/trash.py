"""Deleted repositories are kept for some days: nobody sees them, their name is free, and their owner may undo it.

A repository that is put away is private and its name cannot be looked up, so that no count, list or board has it;
`Repo.objects.visible_to` leaves it out for its owner too. Its bytes count until it is gone for good.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import publishing
from models_hub.models import Deletion, Repo, RepoAlias
from models_hub.publishing import require_manager
from models_hub.searching import indexing
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, Namespace, User
from portal.names import check_name
from portal.permissions import can_administer


def delete(repo: Repo, *, by: Asker) -> None:
    """Delete a repository; within DELETED_REPOS_DAYS its owner may have it back. A copy of another hub goes at once."""
    user = require_manager(by, repo)
    if not settings.DELETED_REPOS_DAYS or repo.namespace.is_mirror:
        publishing.delete_repo(repo, by=by)
        return
    now = timezone.now()
    with transaction.atomic():
        there = Repo.objects.filter(pk=repo.pk, deleted_at__isnull=True)
        # The name itself stays, to be shown to the owner; `~` begins no name that anybody can ask for.
        if not there.update(deleted_at=now, private=True, lower=f"~{repo.pk}"):
            raise NotFound(_("Repository not found"))
        Deletion.objects.create(repo=repo, by=user, at=now, was_private=repo.private)
        publishing.note_deleted(repo, by=user)
    repo.deleted_at = now


def kept(namespace: Namespace) -> QuerySet[Deletion]:
    """Return what an owner may have back, the latest first."""
    rows = Deletion.objects.filter(repo__namespace=namespace).select_related("repo__namespace", "by")
    return rows.order_by("-id")


def find(namespace: Namespace, deletion_id: int) -> Deletion:
    """Return one of them; raises NotFound."""
    found = kept(namespace).filter(pk=deletion_id).first()
    if found is None:
        raise NotFound(_("There is no such deleted repository; perhaps its days are over."))
    return found


def gone_at(deletion: Deletion) -> datetime:
    """Return when it will be gone for good."""
    return deletion.at + timedelta(days=settings.DELETED_REPOS_DAYS)


def require_undoer(by: Asker, namespace: Namespace) -> User:
    """Return the user who may undo deletions of an owner."""
    if not isinstance(by, User) or not can_administer(by, namespace):
        raise NotAllowed(_("Only an admin of the owner may bring a repository back or remove it for good."))
    return by


def restore(deletion: Deletion, *, by: Asker, name: str = "") -> Repo:
    """Bring a repository back as it was, under `name` where its own has been taken meanwhile."""
    repo = deletion.repo
    user = require_undoer(by, repo.namespace)
    name = check_name(name or repo.name, what=_("repository name"))
    try:
        with transaction.atomic():
            if not Deletion.objects.filter(pk=deletion.pk).delete()[0]:
                raise NotFound(_("There is no such deleted repository; perhaps its days are over."))
            Repo.objects.filter(pk=repo.pk).update(
                deleted_at=None, private=deletion.was_private, name=name, lower=name.lower(), updated_at=timezone.now()
            )
            RepoAlias.objects.filter(kind=repo.kind, namespace=repo.namespace, lower=name.lower()).delete()
            Event.record("repo.restored", subject=f"repo:{repo.pk}", by=user, private=deletion.was_private)
            repo.refresh_from_db()
            indexing.note_name(repo)
    except IntegrityError as error:
        raise Conflict(
            _("“%(name)s” is the name of another repository now: choose another one.") % {"name": name}
        ) from error
    return repo


def erase(deletion: Deletion, *, by: Asker, typed: str) -> None:
    """Remove a deleted repository for good, before its days are over; `typed` is its full name, to be sure."""
    require_undoer(by, deletion.repo.namespace)
    if typed.strip() != deletion.repo.full_name:
        raise InvalidInput(_("Type the full name of the repository to confirm."))
    publishing.erase_repo(deletion.repo)


def erase_due() -> int:
    """Remove for good what nobody wanted back in time; returns how many there were."""
    due = Deletion.objects.filter(at__lt=timezone.now() - timedelta(days=settings.DELETED_REPOS_DAYS))
    count = 0
    for deletion in due.select_related("repo__namespace")[:100]:
        publishing.erase_repo(deletion.repo)
        count += 1
    return count
