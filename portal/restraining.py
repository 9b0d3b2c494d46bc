"""People who may not write for a while, or not sign in. What they have published stays as it is."""

from datetime import datetime

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import NotAllowed, NotFound
from portal.models import Decision, Restraint, User

TICKET_SALT = "appeal-from-sign-in"
TICKET_SECONDS = 3600


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


def ticket_of(user: User) -> str:
    """Return what opens the notice of a suspended person, who proved just now to be that person, for an hour."""
    return signing.dumps(user.pk, salt=TICKET_SALT)


def read_ticket(ticket: str) -> int:
    """Return whose notice a ticket opens; raises NotFound."""
    try:
        return int(signing.loads(ticket, salt=TICKET_SALT, max_age=TICKET_SECONDS))
    except signing.BadSignature as error:
        raise NotFound(_("This link is no longer good. Sign in again to get a new one.")) from error
