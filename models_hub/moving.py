"""Repositories get another name or another owner; the name they had leads on to them."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import quotas
from models_hub.models import Repo, RepoAlias
from models_hub.publishing import require_manager
from models_hub.searching import indexing
from portal.errors import Conflict, NotAllowed
from portal.models import Asker, Event, Namespace
from portal.names import check_name
from portal.permissions import can_write_in


def move_repo(repo: Repo, *, by: Asker, namespace: str, name: str) -> Repo:
    """Rename a repository, give it to another owner under whom the user may publish, or both.

    Raises Conflict when the name is taken. A repository that had the new name before is found by it no longer.
    """
    user = require_manager(by, repo)
    if repo.namespace.is_mirror:
        raise NotAllowed(_("This repository is a copy that follows another hub under its name; import it instead."))
    check_name(name, what=_("repository name"))
    owner = Namespace.objects.named(namespace).first()
    if owner is None or not can_write_in(user, owner):
        raise NotAllowed(
            _("You don’t have the rights to move a repository to the namespace “%(name)s”.") % {"name": namespace[:100]}
        )
    old_owner, old_lower, bare, old_name = repo.namespace, repo.lower, repo.name, repo.full_name
    try:
        with transaction.atomic():
            quotas.transfer(repo, old_owner, owner)
            found = Repo.objects.filter(pk=repo.pk, namespace=old_owner, lower=old_lower)
            if not found.update(namespace=owner, name=name, lower=name.lower(), updated_at=timezone.now()):
                raise Conflict(_("Somebody else moved or deleted this repository meanwhile. Reload and try again."))
            RepoAlias.objects.filter(kind=repo.kind, namespace=owner, lower=name.lower()).delete()
            if (old_owner.pk, old_lower) != (owner.pk, name.lower()):
                RepoAlias.objects.create(kind=repo.kind, namespace=old_owner, lower=old_lower, name=bare, repo=repo)
            repo.namespace, repo.name, repo.lower = owner, name, name.lower()
            indexing.note_name(repo)
            Event.record(
                "repo.moved", subject=f"repo:{repo.pk}", by=user, name=repo.full_name, before=old_name,
                repo_kind=repo.kind,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(
            _("A %(kind)s repository called %(name)s already exists")
            % {"kind": repo.kind, "name": f"{owner.name}/{name}"}
        ) from error
    return repo
