"""Who may act for a namespace."""

from collections.abc import Collection

from portal.models import Asker, Membership, Namespace, User
from portal.reach import Level, reaches

WRITERS = (Membership.Role.WRITE, Membership.Role.ADMIN)


def role_in(user: Asker, namespace: Namespace) -> str | None:
    """Return "read", "write" or "admin", or None for a stranger."""
    if not user.is_authenticated:
        return None
    if user.is_superuser or namespace.user_id == user.pk:
        return str(Membership.Role.ADMIN)
    if namespace.organization_id is None:
        return None
    return Membership.objects.role_in(namespace.organization_id, user)


def can_write_in(user: Asker, namespace: Namespace, *, repo_id: int | None = None) -> bool:
    """Return whether the user may publish under the namespace, or write to one repository of it.

    Into a mirrored namespace nobody writes, admins included: what is there follows its original.
    """
    if namespace.is_mirror:
        return False
    level = Level.MANAGE if repo_id is None else Level.WRITE
    return reaches(user, level, namespace_id=namespace.pk, repo_id=repo_id) and role_in(user, namespace) in WRITERS


def can_administer(user: Asker, namespace: Namespace, *, repo_id: int | None = None) -> bool:
    """Return whether the user may change the namespace itself, or one repository of it as a whole."""
    if not reaches(user, Level.MANAGE, namespace_id=namespace.pk, repo_id=repo_id):
        return False
    return role_in(user, namespace) == Membership.Role.ADMIN


def writers_among(namespace: Namespace, people: Collection[int]) -> set[int]:
    """Return the ids of those people whose accounts work and who may write in the namespace, in two queries."""
    active = User.objects.filter(pk__in=people, is_active=True)
    found = dict(active.values_list("pk", "is_superuser"))
    if namespace.is_mirror:
        return set()
    writers = {namespace.user_id}
    if namespace.organization_id is not None:
        members = Membership.objects.trusted().filter(organization_id=namespace.organization_id, role__in=WRITERS)
        writers = set(members.filter(user_id__in=found).values_list("user_id", flat=True))
    return {pk for pk, is_super in found.items() if is_super or pk in writers}
