"""People who may not write for a while, or not sign in. What they have published stays as it is."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import NotAllowed
from portal.models import Decision, Restraint, User


def silence_of(user: User) -> Restraint | None:
    """Return why the person may not write now, None when the person may."""
    return Restraint.objects.in_force().filter(person=user).order_by("-id").first()


def suspension_of(user: User) -> Restraint | None:
    """Return why the person may not sign in now."""
    rows = Restraint.objects.in_force().filter(person=user, kind=Restraint.Kind.SUSPENSION)
    return rows.order_by("-id").first()


def require_voice(user: User) -> None:
    """Raise NotAllowed while the person is silenced, saying until when and where to appeal."""
    found = silence_of(user)
    if found is None:
        return
    if found.until is None:
        raise NotAllowed(_("You may read but not write for now. Your notices say why, and how to appeal."))
    when = f"{timezone.localtime(found.until):%Y-%m-%d %H:%M}"
    raise NotAllowed(
        _("You may read but not write until %(when)s. Your notices say why, and how to appeal.") % {"when": when}
    )


def restrain(person_id: int, kind: str, *, until: datetime | None, decision: Decision) -> int:
    """Restrain somebody; returns the id of the row that says so."""
    return Restraint.objects.create(person_id=person_id, kind=kind, until=until, decision=decision).pk


def lift(decision: Decision) -> None:
    """Give back what a decision took."""
    Restraint.objects.filter(decision=decision, lifted_at=None).update(lifted_at=timezone.now())
