"""How long ago something was, in so few letters that a column of them is read at a glance."""

from datetime import datetime

from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86_400


def age(then: datetime, now: datetime) -> str:
    """Return “5 min”, “3 h”, “12 d”, “8 mo”, “2 y”: what is younger than a minute is “now”."""
    seconds = (now - then).total_seconds()
    if seconds < MINUTE:
        return _("now")
    if seconds < HOUR:
        return _("%(n)d min") % {"n": seconds // MINUTE}
    if seconds < DAY:
        return _("%(n)d h") % {"n": seconds // HOUR}
    if seconds < 60 * DAY:
        return _("%(n)d d") % {"n": seconds // DAY}
    if seconds < 730 * DAY:
        return _("%(n)d mo") % {"n": seconds // (30.44 * DAY)}
    return _("%(n)d y") % {"n": seconds // (365.25 * DAY)}
