"""Reminders: whoever wanted to see a bookmarked post again at a time is told then, once."""

import time

from django.db import transaction
from django.utils import timezone

from forum.models import Bookmark
from portal.notifying import notify

EVERY = 30.0
AT_ONCE = 100


class Reminding:
    """Looks now and then which reminders are due."""

    def __init__(self) -> None:
        self._looked = -EVERY

    def turn(self) -> None:
        if time.monotonic() - self._looked >= EVERY:
            self._looked = time.monotonic()
            remind()


def remind() -> None:
    """Tell of the reminders that are due; each is cleared in the transaction that tells of it."""
    due = Bookmark.objects.filter(remind_at__lte=timezone.now()).order_by("remind_at")
    for bookmark in due.select_related("post", "user")[:AT_ONCE]:
        with transaction.atomic():
            if Bookmark.objects.filter(pk=bookmark.pk, remind_at=bookmark.remind_at).update(remind_at=None):
                notify(
                    "reminder", people=[bookmark.user], about=f"post:{bookmark.post_id}", by=None,
                    data={"number": bookmark.post.number, "note": bookmark.note},
                )  # fmt: skip
