"""What a message to a device says: no more than the subject of a mail, for it is read on locked screens."""

import json
from collections.abc import Collection

from django.conf import settings
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from portal import inbox
from portal.inbox import Line
from portal.models import Notification, User

MAX_TEXT = 200
LOOKED_AT = 20
TRIAL = "trial"


def build(user: User, rows: Collection[int]) -> tuple[str, bytes] | None:
    """Return the topic and the text of a message of these rows, None when nothing is left to tell."""
    with translation.override(user.language or settings.LANGUAGE_CODE):
        if not rows:
            return TRIAL, _packed(_("Messages look like this."), path="/settings/notifications", topic=TRIAL)
        unread = Notification.objects.unread().filter(user=user, pk__in=list(rows)).newest()
        lines = inbox.shown(list(unread[:LOOKED_AT]), user)
        if not lines:
            return None
        if len(lines) == 1:
            topic = lines[0].row.group or f"row:{lines[0].row.pk}"
            return topic, _packed(_said(lines[0]), path=lines[0].path, topic=topic)
        text = _("%(first)s and %(n)d more")
        said = text % {"first": Truncator(_said(lines[0])).chars(120), "n": len(lines) - 1}
        return "several", _packed(said, path="/notifications?unread=1", topic="several")


def _said(line: Line) -> str:
    return f"{line.text}: {line.title}" if line.title else line.text


def _packed(text: str, *, path: str, topic: str) -> bytes:
    told = {
        "title": str(settings.SITE_NAME), "text": Truncator(" ".join(text.split())).chars(MAX_TEXT), "path": path,
        "topic": topic, "language": translation.get_language(),
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False).encode()
