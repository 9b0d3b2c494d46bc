"""Who may act for a namespace."""

from portal.models import Asker, Membership, Namespace
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
    return (
        Membership.objects.filter(organization_id=namespace.organization_id, user_id=user.pk)
        .values_list("role", flat=True)
        .first()
    )


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
