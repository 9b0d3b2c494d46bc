"""Spans of time in the reader's language."""

from datetime import timedelta

from django.utils.translation import gettext as _


def span_text(span: timedelta) -> str:
    """90 seconds -> 1 min 30 s."""
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)d s") % {"seconds": seconds}


def rough(seconds: float) -> timedelta:
    """Return a span no finer than an estimate deserves: whole seconds, from two minutes on whole minutes."""
    step = 1 if seconds < 120 else 60 if seconds < 7200 else 600
    return timedelta(seconds=max(round(seconds / step), 1) * step)
