"""Repositories go to the account that takes another one in: nobody is asked for rights, and nothing is refused."""

from django.db import transaction

from models_hub import quotas
from models_hub.models import Repo, RepoAlias
from models_hub.searching import indexing
from portal.models import Event, Namespace

MAX_NAME = 96


def take_over(source: int, target: int) -> int:
    """Give one repository of a name to another name, with what it is charged for; returns 0 when none is left."""
    repo = Repo.objects.filter(namespace=source).select_related("namespace").order_by("pk").first()
    if repo is None:
        return 0
    owner = Namespace.objects.get(pk=target)
    before = repo.full_name
    with transaction.atomic():
        quotas.hand_over(repo, repo.namespace, owner)
        repo.name, repo.lower = _free_name(repo, owner)
        Repo.objects.filter(pk=repo.pk).update(namespace=owner, name=repo.name, lower=repo.lower)
        # Links to the former name find it by the former name of its owner.
        RepoAlias.objects.filter(kind=repo.kind, namespace=owner, lower=repo.lower).delete()
        repo.namespace = owner
        if repo.deleted_at is None:
            indexing.note_name(repo)
            Event.record(
                "repo.moved", subject=f"repo:{repo.pk}", by=owner.user, name=repo.full_name, before=before,
                repo_kind=repo.kind,
            )  # fmt: skip
    return 1


def _free_name(repo: Repo, owner: Namespace) -> tuple[str, str]:
    """Return its name; one that was taken since the two accounts were compared gets another."""
    if not Repo.objects.filter(namespace=owner, kind=repo.kind, lower=repo.lower).exists():
        return repo.name, repo.lower
    name = f"{repo.name[: MAX_NAME - 21]}-{repo.pk}"
    return name, name.lower()
