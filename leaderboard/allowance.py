"""How many evaluations a person may ask for, see `portal.allowances`."""

from django.conf import settings
from django.utils.translation import gettext as _

from portal import allowances
from portal.allowances import Allowance
from portal.errors import QuotaExceeded
from portal.models import User

KINDS = ("evaluate", "try_examples")


def of(user: User) -> Allowance:
    """Return what the person has used in the last 24 hours."""
    return allowances.of(user, KINDS, settings.EVALUATIONS_PER_DAY)


def require(user: User) -> None:
    """Raise QuotaExceeded when the person may not ask for another evaluation now."""
    allowances.require_place(user)
    used = of(user)
    if used.limit and not used.left:
        raise QuotaExceeded(
            _(
                "You may have %(limit)d evaluations in 24 hours: %(completed)d were completed and %(unfinished)d wait "
                "or run. Failed and cancelled ones do not count. %(next)s"
            )
            % {**used._asdict(), "next": allowances.next_text(user, KINDS)},
            code="daily_limit",
        )


def next_text(user: User) -> str:
    """Say when the next one is free, "" while there are places."""
    used = of(user)
    return allowances.next_text(user, KINDS) if used.limit and not used.left else ""
