"""Where the result of a run goes: a new repository that only its owner sees, or a pull request to an existing model."""

from django.utils.translation import gettext as _

from models_hub import permissions
from models_hub.models import Repo
from portal.errors import InvalidInput, NotAllowed
from portal.models import Namespace, User
from portal.names import check_name
from portal.permissions import can_write_in


def check(target: str, *, by: User) -> Repo | None:
    """Return the model that the name stands for, None where it is free; raises NotAllowed or InvalidInput."""
    owner, _slash, name = target.partition("/")
    check_name(name, what=_("repository name"))
    namespace = Namespace.objects.named(owner).first()
    if namespace is None or not can_write_in(by, namespace):
        raise NotAllowed(
            _("You don’t have the rights to create a repository under the namespace “%(name)s”.")
            % {"name": owner[:100]}
        )
    found = Repo.objects.visible_to(by).select_related("namespace").named(Repo.Kind.MODEL, owner, name).first()
    if found is not None and not permissions.can_write(by, found):
        raise NotAllowed(_("You may read this repository but not write to it."))
    return found


def free_name(base: str, owner: str, *, ending: str = "tuned") -> str:
    """Return a name for a result that nothing of the owner has yet."""
    stem = (base.rpartition("/")[2] or "model")[:80].rstrip("-._")
    taken = set(Repo.objects.owned_by(owner).filter(kind=Repo.Kind.MODEL).values_list("lower", flat=True))
    for number in range(1, 10_000):
        name = f"{stem}-{ending}" if number == 1 else f"{stem}-{ending}-{number}"
        if name.lower() not in taken:
            return f"{owner}/{name}"
    raise InvalidInput(_("Choose a name for the result."))
