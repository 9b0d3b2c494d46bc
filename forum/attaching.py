"""Pictures that people attach: taken in, found, noted where they are shown, withdrawn, and collected when unused."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from forum.models import Attachment, Post
from models_hub.storage import attachment_store
from portal import picture_formats
from portal.errors import NotFound, QuotaExceeded, TooLarge
from portal.models import Event, User

MAX_BYTES = 10 * 1024 * 1024
MAX_A_DAY = 100
MAX_BYTES_A_DAY = 100 * 1024 * 1024
# How long a picture may wait for the comment that shows it.
GRACE = timedelta(hours=48)
BATCH = 500
MAX_SHOWN = 50  # of one comment
Shown = Attachment.posts.through
_ADDRESS = re.compile(r"/uploads/([A-Za-z0-9_-]{43})\.(?:png|jpg|gif|webp)")


def attach(data: bytes, *, by: User) -> Attachment:
    """Keep a picture without what it tells about its maker; raises when it is none, or too much for a day."""
    if len(data) > MAX_BYTES:
        raise TooLarge(_("A picture may have at most %(max)d MB.") % {"max": MAX_BYTES // 1024**2})
    _require_room(by, len(data))  # before the work; the count that holds is made below
    picture = picture_formats.cleaned(data)
    stored = attachment_store().put([picture.data])
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        _require_room(by, stored.size)
        attachment = Attachment.objects.create(
            key=secrets.token_urlsafe(32), format=picture.format, sha256=stored.digest, size=stored.size, owner=by
        )
        Event.record("attachment.added", subject=f"user:{by.pk}", by=by, attachment=attachment.pk, size=stored.size)
    return attachment


def find(key: str, ending: str) -> Attachment:
    """Return the picture of this address; raises NotFound."""
    found = Attachment.objects.filter(key=key, format=ending, withdrawn_at=None).first()
    if found is None:
        raise NotFound(_("There is no such picture."))
    return found


def known(text: str) -> list[str]:
    """Return the keys of the pictures that a text names and that are there."""
    keys = _keys(text)
    found = Attachment.objects.filter(key__in=keys, withdrawn_at=None).values_list("key", flat=True)
    return sorted(found) if keys else []


def note_shown(post: Post) -> None:
    """Keep the pictures that a post names for as long as it is there, in the caller's transaction.

    Those of its former texts stay too: readers may look at what it said before.
    """
    if keys := _keys(post.text):
        # Held, so that the collector does not take one of them at this moment.
        held = Attachment.objects.select_for_update().filter(key__in=keys).order_by("pk")
        Shown.objects.bulk_create([Shown(attachment=row, post=post) for row in held], ignore_conflicts=True)


def withdraw_from(post: Post) -> None:
    """With a hidden post go the pictures of its author that no other post shows."""
    shown = list(Shown.objects.filter(post=post).values_list("attachment_id", flat=True))
    Shown.objects.filter(post=post).delete()
    elsewhere = Shown.objects.filter(attachment=OuterRef("pk"))
    mine = Attachment.objects.filter(~Exists(elsewhere), pk__in=shown, owner_id=post.author_id)
    mine.update(withdrawn_at=timezone.now())


def collect(*, grace: timedelta = GRACE, check: Callable[[], None] = lambda: None) -> int:
    """Drop pictures that no post has shown for the time of grace, then their files; returns how many pictures."""
    count = 0
    due = Attachment.objects.filter(posts=None, created_at__lt=timezone.now() - grace)
    for pk in list(due.values_list("pk", flat=True)):
        check()
        with transaction.atomic():
            row = Attachment.objects.select_for_update().filter(pk=pk).first()
            if row is not None and not row.posts.exists():
                row.delete()
                count += 1
    _collect_files(check)
    return count


def _collect_files(check: Callable[[], None]) -> None:
    store = attachment_store()
    store.recover(_is_wanted)
    store.sweep()
    digests = store.digests()
    while group := [stored.digest for stored in islice(digests, BATCH)]:
        check()
        wanted = set(Attachment.objects.filter(sha256__in=group).values_list("sha256", flat=True))
        for digest in group:
            if digest not in wanted:
                store.discard(digest, is_wanted=lambda digest=digest: _is_wanted(digest))  # type: ignore[misc]


def _is_wanted(digest: str) -> bool:
    return Attachment.objects.filter(sha256=digest).exists()


def _keys(text: str) -> list[str]:
    """Return the keys that a text names, in their order, no more than one comment may show."""
    return list(dict.fromkeys(found[1] for found in _ADDRESS.finditer(text)))[:MAX_SHOWN]


def _require_room(user: User, size: int) -> None:
    today = Q(owner=user, created_at__gt=timezone.now() - timedelta(days=1))
    sent = Attachment.objects.filter(today).aggregate(count=Count("pk"), total=Sum("size", default=0))
    if sent["count"] >= MAX_A_DAY or sent["total"] + size > MAX_BYTES_A_DAY:
        raise QuotaExceeded(
            _("You may attach %(count)d pictures and %(size)d MB a day. Try again tomorrow.")
            % {"count": MAX_A_DAY, "size": MAX_BYTES_A_DAY // 1024**2}
        )
