"""Messages to the devices of people: which devices there are, what is due to them, and how it went.

What a message says is found when it leaves, for the rights of then; the row of the inbox is the truth, and a message
may be lost or come twice (a device shows one of a kind and place).
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portal import outbound, push_messages
from portal.errors import InvalidInput
from portal.models import Event, Inbox, Notification, Push, PushDevice, User
from portal.outbound import AddressRefused, Answer, Unreachable

MAX_DEVICES = 10
AT_ONCE = 200  # people
MAX_ROWS = 100
BETWEEN = timedelta(minutes=1)  # to one person; what comes meanwhile is one message
BACKOFF = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
LONGEST_WAIT = timedelta(hours=6)
ENOUGH_FAILURES = 5  # in a row, each after all its attempts
GONE = {404, 410}
REFUSED = gettext_noop("The service of the browser’s maker answered %(status)d.")
_KEY = re.compile(r"[A-Za-z0-9_-]+={0,2}")


def add(user: User, *, endpoint: str, public_key: str, auth: str, agent: str) -> PushDevice:
    """Call this browser from now on; whoever was called there before is not any more."""
    endpoint = _checked_endpoint(endpoint)
    values = {
        "user": user, "endpoint": endpoint, "public_key": _checked_point(public_key), "auth": _checked_auth(auth),
        "server_key": push_messages.server_key(), "agent": agent[:300], "failures": 0, "why": "",
    }  # fmt: skip
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    if user.push_devices.exclude(digest=digest).count() >= MAX_DEVICES:
        raise InvalidInput(_("You may have at most %(max)d devices: remove one first.") % {"max": MAX_DEVICES})
    with transaction.atomic():
        device, _created = PushDevice.objects.update_or_create(digest=digest, defaults=values)
        Event.record("push_device.added", subject=f"user:{user.pk}", by=user)
    return device


def remove(device: PushDevice, *, by: User) -> None:
    with transaction.atomic():
        device.delete()
        Event.record("push_device.removed", subject=f"user:{by.pk}", by=by)


def try_out(device: PushDevice) -> None:
    """Send a message that tells of nothing; a second one only when the first has left."""
    if not device.pushes.filter(rows=[]).exists():
        Push.objects.create(device=device)


def write_due(now: datetime | None = None) -> int:
    """Make messages of the rows that are due; returns how many."""
    now = now or timezone.now()
    due = Notification.objects.filter(push_due_at__lte=now).order_by("push_due_at")
    return sum(_write(person, now) for person in dict.fromkeys(due.values_list("user", flat=True)[:AT_ONCE]))


def _write(person: int, now: datetime) -> int:
    with transaction.atomic():
        Inbox.objects.get_or_create(user_id=person)
        inbox = Inbox.objects.select_for_update().get(user=person)
        rows = Notification.objects.filter(user=person, push_due_at__lte=now)
        if inbox.pushed_at is not None and now - inbox.pushed_at < BETWEEN:
            rows.update(push_due_at=inbox.pushed_at + BETWEEN)
            return 0
        unread = list(rows.unread().order_by("-pk").values_list("pk", flat=True)[:MAX_ROWS])
        rows.update(push_due_at=None)
        devices = PushDevice.objects.filter(user=person) if unread else PushDevice.objects.none()
        made = Push.objects.bulk_create(Push(device=device, rows=unread, not_before=now) for device in devices)
        if made:
            Inbox.objects.filter(user=person).update(pushed_at=now)
        return len(made)


def call(device: PushDevice, text: bytes, *, topic: str) -> Answer:
    """Hand a message to the service of the browser’s maker; raises Unreachable."""
    body = push_messages.encrypt(text, public_key=decoded(device.public_key), auth=decoded(device.auth))
    return outbound.send(
        "POST", device.endpoint, headers=push_messages.headers(device.endpoint, topic=topic), body=body
    )


def note(push: Push, outcome: Answer | Unreachable) -> None:
    """Write down how an attempt went: it arrived, it is tried again, or the device is not called any more."""
    device = push.device
    status = outcome.status if isinstance(outcome, Answer) else 0
    if isinstance(outcome, AddressRefused) or status in GONE:
        device.delete()
    elif 200 <= status < 300:
        push.delete()
        PushDevice.objects.filter(pk=device.pk).update(reached_at=timezone.now(), failures=0, why="")
    else:
        _later(push, outcome.message if isinstance(outcome, Unreachable) else REFUSED % {"status": status}, outcome)


def _later(push: Push, why: str, outcome: Answer | Unreachable) -> None:
    if push.attempts < len(BACKOFF):
        pause = max(BACKOFF[push.attempts], _asked_pause(outcome))
        Push.objects.filter(pk=push.pk).update(not_before=timezone.now() + pause, attempts=F("attempts") + 1)
        return
    push.delete()
    devices = PushDevice.objects.filter(pk=push.device_id)
    devices.update(failures=F("failures") + 1, why=why[:300])
    devices.filter(failures__gte=ENOUGH_FAILURES).delete()


def _asked_pause(outcome: Answer | Unreachable) -> timedelta:
    """Return how long the service asks to wait, within bounds."""
    asked = outcome.headers.get("retry-after", "") if isinstance(outcome, Answer) else ""
    return min(timedelta(seconds=int(asked)), LONGEST_WAIT) if re.fullmatch(r"[0-9]{1,6}", asked) else timedelta()


def drop(pushes: Iterable[Push]) -> None:
    """Send these no more: nothing is left to tell."""
    Push.objects.filter(pk__in=[push.pk for push in pushes]).delete()


def decoded(text: str) -> bytes:
    """Return the bytes of base64url with or without its padding."""
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _checked_endpoint(endpoint: str) -> str:
    if len(endpoint) > 1000:
        raise InvalidInput(_("The address is too long."))
    try:
        parts = outbound.check(endpoint)
    except Unreachable as error:
        raise InvalidInput(_(error.message)) from error
    if urlsplit(endpoint).scheme != "https" or parts.port not in (None, 443):
        raise InvalidInput(_("A browser’s address for messages begins with https://."))
    return endpoint


def _checked_point(text: str) -> str:
    try:
        point = decoded(text) if _KEY.fullmatch(text) else b""
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise InvalidInput(_("The browser’s key cannot be read.")) from error
    if len(point) != 65:
        raise InvalidInput(_("The browser’s key cannot be read."))
    return text.rstrip("=")


def _checked_auth(text: str) -> str:
    if not _KEY.fullmatch(text) or len(text.rstrip("=")) != 22:
        raise InvalidInput(_("The browser’s key cannot be read."))
    return text.rstrip("=")
