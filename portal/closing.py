"""The end of an account: asked for with the name typed, undone by signing in, and after some days for good.

What is the person's, and what becomes of it, is listed in portal/belongings.py; worker/handing_over.py goes through
that list. What the person has written in discussions stays, without an author.
"""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import merging
from portal.errors import Conflict, InvalidInput
from portal.models import Event, Handover, Membership, Organization, User


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
    taking_in = Handover.objects.unfinished().filter(began_at__isnull=False, into__isnull=False)
    waiting = User.objects.filter(deletion_due_at__lt=timezone.now(), is_active=True)
    waiting = waiting.exclude(pk__in=taking_in.values("into"))
    return waiting.order_by("deletion_due_at")


def begin(user: User) -> Handover | None:
    """Close an account that is due, for good, and have a job remove it; None when its owner came back just now."""
    with transaction.atomic():
        if not due().select_for_update().filter(pk=user.pk).exists():
            return None
        Handover.objects.offered().filter(person=user.pk).delete()
        row = Handover.objects.create(person=user.pk, name=user.username, kind=Handover.Kind.DELETION)
        merging.close(row)
    return row


def purge(user: User) -> None:
    """Remove what is left of an account, in the caller's transaction or in its own."""
    with transaction.atomic():
        Event.record("account.deleted", subject=f"user:{user.pk}", by=None)
        user.delete()
