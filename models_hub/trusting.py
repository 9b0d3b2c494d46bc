"""Which repository a program asks a token for, and who decides about it: for the exchange of issuers' statements."""

from django.utils.translation import gettext as _

from models_hub import permissions
from models_hub.models import Repo
from portal.errors import NotAllowed
from portal.models import Asker, Namespace, User
from portal.oauth import resources
from portal.oauth.resources import Resource
from portal.permissions import can_administer

_KINDS = {f"{kind}s": kind for kind in Repo.Kind.values}


def register() -> None:
    resources.register(_find, is_held=_is_held)


def resource_of(repo: Repo) -> Resource:
    """Return a repository as what a token may be good for."""
    return Resource(repo.namespace, repo.path.strip("/"), repo.pk)


def resource_of_owner(namespace: Namespace) -> Resource:
    """Return all repositories of an owner as what a publisher may be trusted with."""
    return Resource(namespace, f"{namespace.name}/*")


def require_owner(by: Asker, namespace: Namespace) -> User:
    """Return the user who may decide about all that an owner has; raises NotAllowed."""
    if not isinstance(by, User) or not can_administer(by, namespace):
        raise NotAllowed(_("Only an admin of the owner may say which publishers it trusts."))
    return by


def _find(text: str) -> Resource | None:
    """Return the repository of owner/name, with the kind before it unless it is a model; former names lead on."""
    first, _slash, rest = text.partition("/")
    named, kind = (rest, _KINDS[first]) if first in _KINDS else (text, str(Repo.Kind.MODEL))
    namespace, _slash, name = named.partition("/")
    there = Repo.objects.filter(deleted_at__isnull=True).select_related("namespace")
    repo = there.named(kind, namespace, name).first() or there.formerly_named(kind, namespace, name).first()
    return resource_of(repo) if repo else None


def _is_held(person: User, repo_id: int) -> bool:
    repo = Repo.objects.visible_to(person).select_related("namespace", "restriction").filter(pk=repo_id).first()
    return repo is not None and permissions.can_manage(person, repo)
