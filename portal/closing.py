"""The end of an account: asked for with the name typed, undone by signing in, and after some days for good.

What lies above this app (repositories, collections) is removed by worker/closing_accounts.py first. What the person
has written in discussions stays, without an author.
"""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import Conflict, InvalidInput
from portal.models import Event, Membership, Organization, User


def only_admin_of(user: User) -> list[Organization]:
    """Return the organizations that would be left without an admin."""
    led = Organization.objects.filter(memberships__user=user, memberships__role=Membership.Role.ADMIN)
    others = Membership.objects.filter(role=Membership.Role.ADMIN, user__is_active=True).exclude(user=user)
    return list(led.exclude(pk__in=others.values("organization_id")).order_by("name"))


def ask(user: User, *, typed: str) -> None:
    """Have the account deleted after ACCOUNT_DELETION_DAYS; it is signed out everywhere now."""
    if typed.strip() != user.username:
        raise InvalidInput(_("Type your account name exactly as it stands there."))
    if left := only_admin_of(user):
        names = ", ".join(organization.name for organization in left[:10])
        raise Conflict(_("You are the only admin of %(names)s: name another one first.") % {"names": names})
    with transaction.atomic():
        user.deletion_due_at = timezone.now() + timedelta(days=settings.ACCOUNT_DELETION_DAYS)
        user.save(update_fields=["deletion_due_at"])
        Event.record("account.deletion_requested", subject=f"user:{user.pk}", by=user)
    for session in UserSession.objects.filter(user=user):
        session.end()


def cancel(user: User) -> bool:
    """Keep the account after all; returns whether there was anything to undo."""
    with transaction.atomic():
        waiting = User.objects.filter(pk=user.pk, deletion_due_at__isnull=False)
        if not waiting.update(deletion_due_at=None):
            return False
        user.deletion_due_at = None
        Event.record("account.deletion_cancelled", subject=f"user:{user.pk}", by=user)
    return True


def due() -> QuerySet[User]:
    """Return the accounts whose days are over, the oldest first."""
    return User.objects.filter(deletion_due_at__lt=timezone.now()).order_by("deletion_due_at")


def purge(user: User) -> None:
    """Remove the account for good, its sessions, tokens and pictures with it."""
    for session in UserSession.objects.filter(user=user):
        session.end()
    for export in user.exports.all():
        export.path.unlink(missing_ok=True)
    with transaction.atomic():
        Event.record("account.deleted", subject=f"user:{user.pk}", by=None)
        user.delete()
