"""What a token may be asked for by name: a repository. The layer above knows them and says so here."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.models import Namespace, User
from portal.permissions import can_administer


@dataclass(frozen=True)
class Resource:
    """One repository, or all of an owner without `repo_id`; `label` is how people know it."""

    namespace: Namespace
    label: str
    repo_id: int | None = None


Find = Callable[[str], Resource | None]
Hold = Callable[[User, int], bool]
_finds: list[Find] = []
_holds: list[Hold] = []


def register(find: Find, *, is_held: Hold) -> None:
    """Let `find` name the repository of a text, whoever asks, and `is_held` say who may decide about one."""
    _finds[:], _holds[:] = [find], [is_held]


def find(text: str) -> Resource | None:
    """Return what a text names; nothing is said of who may see it."""
    name = text.strip().strip("/")
    if "/" not in name:
        owner = Namespace.objects.named(name).first() if "\x00" not in name else None
        return Resource(owner, f"{owner.name}/*") if owner else None
    return next((found for one in _finds if (found := one(name))), None)


def is_held(person: User, resource: Resource) -> bool:
    """Return whether a person may decide about a repository at this moment."""
    return resource.repo_id is not None and any(one(person, resource.repo_id) for one in _holds)


def is_owned(person: User, namespace: Namespace) -> bool:
    """Return whether a person may decide about all that an owner has."""
    return can_administer(person, namespace)
