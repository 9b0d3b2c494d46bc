"""Who may act for a namespace."""

from portal.models import Asker, Membership, Namespace

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


def can_write_in(user: Asker, namespace: Namespace) -> bool:
    return role_in(user, namespace) in WRITERS


def can_administer(user: Asker, namespace: Namespace) -> bool:
    return role_in(user, namespace) == Membership.Role.ADMIN
