"""Which mail is due to whom: what waited long enough becomes a letter, and the digest of a day or a week another.

A letter is made in the transaction that takes its rows out of the queue, so that no row is in two.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from portal import mail_server
from portal.models import Inbox, Letter, Notification, User
from portal.notifying import next_digest

Mail = Notification.Mail
AT_ONCE = 200
A_DAY = 20  # letters to one person; what comes after them waits for the digest
BETWEEN = timedelta(minutes=10)
# Somebody who uses the page is given this long to read there.
PRESENT = timedelta(minutes=12)
LONGEST_WAIT = timedelta(minutes=20)
LOOK_AGAIN = timedelta(minutes=2)


def write_due(now: datetime | None = None) -> int:
    """Make the letters that are due; returns how many."""
    if not mail_server.is_set():
        return 0
    now = now or timezone.now()
    waiting = Notification.objects.filter(mail=Mail.DUE, mail_due_at__lte=now).order_by("mail_due_at")
    people = list(dict.fromkeys(waiting.values_list("user", flat=True)[:AT_ONCE]))
    dated = Inbox.objects.filter(digest_due_at__lte=now).values_list("user", flat=True)
    written = [_write_immediate(person, now) for person in people]
    written += [_write_digest(person, now) for person in dated[:AT_ONCE]]
    return sum(written)


def _write_immediate(person: int, now: datetime) -> bool:
    with transaction.atomic():
        inbox = _hold(person)
        rows = Notification.objects.filter(user=person, mail=Mail.DUE)
        rows.filter(read_at__isnull=False).update(mail=Mail.NONE)
        left = list(rows.order_by("id"))
        if not left:
            return False
        if not address_of(inbox):
            rows.update(mail=Mail.NONE)
            return False
        if _has_enough(person, now):
            rows.update(mail=Mail.DIGEST)
            Inbox.objects.filter(user=person, digest_due_at=None).exclude(digest=Inbox.Digest.NEVER).update(
                digest_due_at=next_digest(inbox.digest, now, inbox.time_zone)
            )
            return False
        if (later := _later(inbox, left, now)) is not None:
            rows.update(mail_due_at=later)
            return False
        _write(person, left, now, is_digest=False)
        Inbox.objects.filter(user=person).update(mailed_at=now)
    return True


def _write_digest(person: int, now: datetime) -> bool:
    with transaction.atomic():
        inbox = _hold(person)
        Inbox.objects.filter(user=person).update(digest_due_at=None)
        rows = Notification.objects.filter(user=person, mail=Mail.DIGEST)
        left = list(rows.unread().order_by("id"))
        rows.filter(read_at__isnull=False).update(mail=Mail.NONE)
        if not left or inbox.digest == Inbox.Digest.NEVER or not address_of(inbox):
            rows.update(mail=Mail.NONE)
            return False
        _write(person, left, now, is_digest=True)
    return True


def _write(person: int, rows: Sequence[Notification], now: datetime, *, is_digest: bool) -> None:
    letter = Letter.objects.create(user_id=person, is_digest=is_digest, not_before=now, created_at=now)
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(mail=Mail.IN_LETTER, letter=letter)


def _hold(person: int) -> Inbox:
    """Return the settings of a person, whom no other letter can be written to meanwhile."""
    Inbox.objects.get_or_create(user_id=person)
    return Inbox.objects.select_for_update(of=("self",)).select_related("user").get(user=person)


def _has_enough(person: int, now: datetime) -> bool:
    today = Letter.objects.filter(user=person, is_digest=False, created_at__gt=now - timedelta(days=1))
    return today.exclude(state=Letter.State.DROPPED).count() >= A_DAY


def _later(inbox: Inbox, rows: Sequence[Notification], now: datetime) -> datetime | None:
    """Return when to look again, None when it is time: not soon after another, nor while its reader may see it here."""
    if inbox.mailed_at is not None and now - inbox.mailed_at < BETWEEN:
        return inbox.mailed_at + BETWEEN
    is_here = UserSession.objects.filter(user=inbox.user, last_seen_at__gt=now - PRESENT).exists()
    return now + LOOK_AGAIN if is_here and now - rows[0].created_at < LONGEST_WAIT else None


def address_of(inbox: Inbox) -> str:
    """Return where mail to a person goes: only to a confirmed address that was not refused."""
    user: User = inbox.user
    if not user.is_active:
        return ""
    own = EmailAddress.objects.filter(Q(primary=True) | Q(email__iexact=user.email), user=user, verified=True)
    found = str(own.order_by("-primary").values_list("email", flat=True).first() or "")
    return "" if found == inbox.refused_address else found
