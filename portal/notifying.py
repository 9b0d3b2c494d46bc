"""Telling people of what happened: one row in the inbox of each who wants to hear of it.

Who may see what a row is about is asked when it is shown (portal/inbox.py), never here: rights change.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from portal import mail_server
from portal.models import Inbox, Muting, Notification, PushDevice, User
from portal.notification_kinds import DIGEST, KINDS, MAIL, NOTHING, channel_of, pushed

MAX_KEYS = 10
MAX_ACTORS = 50
BATCH = 1000
# So long a mail waits: whoever is here reads it on the page meanwhile.
PATIENCE = timedelta(minutes=3)
# So long a message to devices waits, and so long one of what is unread already and went on.
PUSH_PATIENCE = timedelta(seconds=15)
PUSH_AGAIN = timedelta(minutes=5)
DIGEST_HOUR = 7

# Who of these people does not want to hear of what this person did in this place: other apps answer.
Deaf = Callable[[Collection[int], int | None, str], set[int]]
Mute = Callable[[str, User], bool]
_deaf: list[Deaf] = []
_mute: dict[str, Mute] = {}


def register_deaf(answer: Deaf) -> None:
    """Ask this too, before somebody is told of something."""
    _deaf.append(answer)


def register_mute(kind: str, verb: Mute) -> None:
    """Let places of this kind be muted by a verb of their own; it returns whether it did."""
    _mute[kind] = verb


def notify(
    kind: str,
    *,
    people: Iterable[User | int],
    about: str,
    by: User | None,
    data: dict[str, Any] | None = None,
    group: str = "",
    place: str = "",
    event: int | None = None,
) -> set[int]:
    """Tell people of something in the running transaction; returns who heard of it, now or by an earlier call.

    `about` and `place` are keys of portal/subjects.py, `about` may be empty. Rows of one `group` are one row while
    it is unread. With `event`, a second call for the same event tells nobody twice. Nobody hears of what they did.
    """
    wanted = {one.pk if isinstance(one, User) else one for one in people} - {by.pk if by else 0}
    if not wanted or (by is not None and by.is_bot and not KINDS[kind].forced):
        return set()
    if not KINDS[kind].forced:
        wanted -= _deaf_ones(wanted, by.pk if by else None, place)
    told: set[int] = set()
    row = Notification(
        kind=kind, keys=[about] if about else [], place=place, group=group, actors=[by.pk] if by else [],
        data=data or {}, event=event,
    )  # fmt: skip
    ordered = sorted(wanted)
    with transaction.atomic():
        for start in range(0, len(ordered), BATCH):
            told |= _add(row, ordered[start : start + BATCH])
    return told


def _deaf_ones(people: Collection[int], by: int | None, place: str) -> set[int]:
    found = set(Muting.objects.filter(place=place, user__in=people).values_list("user", flat=True)) if place else set()
    for answer in _deaf:
        found |= answer(people, by, place)
    return found


def _add(row: Notification, people: Sequence[int]) -> set[int]:
    active = User.objects.filter(pk__in=people, is_active=True, is_bot=False)
    names = ("channels", "digest", "digest_due_at", "pushes")
    active = active.select_related("inbox").only("pk", *(f"inbox__{name}" for name in names))
    active = active.annotate(has_device=Exists(PushDevice.objects.filter(user=OuterRef("pk"))))
    hearing = [user for user in active if channel_of(row.kind, _choices(user)) != NOTHING]
    before = _rows_before(row, [user.pk for user in hearing])
    rows = [_row_for(row, user, before.get(user.pk)) for user in hearing if not _is_told(row, before.get(user.pk))]
    Notification.objects.filter(pk__in=[before[one.user_id].pk for one in rows if one.user_id in before]).delete()
    Notification.objects.bulk_create(rows, batch_size=90, ignore_conflicts=True)
    fresh = {one.user_id for one in rows}
    User.objects.filter(pk__in=fresh).update(unread=None)
    _ask_for_digests([user for user in hearing if user.pk in fresh], rows)
    return {user.pk for user in hearing}


def _choices(user: User) -> dict[str, str]:
    return user.inbox.channels if hasattr(user, "inbox") else {}


def _rows_before(row: Notification, people: Sequence[int]) -> dict[int, Notification]:
    """Return the rows that this one joins or repeats, by person."""
    same = Q(pk__in=[])
    if row.group:
        same |= Q(group=row.group, read_at__isnull=True)
    if row.event is not None:
        same |= Q(event=row.event, kind=row.kind)
    if not same:
        return {}
    return {one.user_id: one for one in Notification.objects.filter(same, user__in=people).order_by("id")}


def _is_told(row: Notification, before: Notification | None) -> bool:
    return before is not None and row.event is not None and before.event == row.event


def _row_for(row: Notification, user: User, before: Notification | None) -> Notification:
    """Return the row of one person, joined with the one before, whose place it takes at the top of the inbox."""
    made = Notification(
        user_id=user.pk, kind=row.kind, keys=row.keys, place=row.place, group=row.group, actors=row.actors,
        data=row.data, event=row.event, created_at=timezone.now(),
    )  # fmt: skip
    if before is not None:
        made.keys = [*(key for key in before.keys if key not in row.keys), *row.keys][-MAX_KEYS:]
        made.actors = [*(one for one in before.actors if one not in row.actors), *row.actors][-MAX_ACTORS:]
        made.times = before.times + 1
    _address(made, channel_of(row.kind, _choices(user)), before)
    if vars(user)["has_device"] and row.kind in pushed(user.inbox.pushes if hasattr(user, "inbox") else None):
        made.push_due_at = (before.push_due_at if before else None) or _push_time(before)
    return made


def _push_time(before: Notification | None) -> datetime:
    return timezone.now() + (PUSH_AGAIN if before else PUSH_PATIENCE)


def _address(row: Notification, channel: str, before: Notification | None) -> None:
    """Say whether a mail shall tell of it; where no mail server is set, none does."""
    if channel == MAIL and mail_server.is_set():
        row.mail, row.mail_due_at = Notification.Mail.DUE, timezone.now() + PATIENCE
        if before is not None and before.mail == Notification.Mail.DUE:
            row.mail_due_at = before.mail_due_at
    elif channel == DIGEST and mail_server.is_set():
        row.mail = Notification.Mail.DIGEST


def _ask_for_digests(people: Sequence[User], rows: Sequence[Notification]) -> None:
    """Note when each of those who want it gets the next digest."""
    waiting = {row.user_id for row in rows if row.mail == Notification.Mail.DIGEST}
    absent = [Inbox(user_id=user.pk) for user in people if user.pk in waiting and not hasattr(user, "inbox")]
    if not waiting:
        return
    Inbox.objects.bulk_create(absent, ignore_conflicts=True)
    undated = Inbox.objects.filter(user__in=waiting, digest_due_at__isnull=True)
    wishes = undated.exclude(digest=Inbox.Digest.NEVER).order_by().values_list("digest", "time_zone").distinct()
    for digest, zone in list(wishes):
        due = next_digest(digest, timezone.now(), zone)
        undated.filter(digest=digest, time_zone=zone).update(digest_due_at=due)


def next_digest(digest: str, now: datetime, zone: str = "") -> datetime:
    """Return when the next digest leaves: in the morning where its reader lives, a weekly one on Monday."""
    here = now.astimezone(zone_of(zone))
    due = here.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    due += timedelta(days=1) if due <= here else timedelta()
    if digest == Inbox.Digest.WEEKLY:
        due += timedelta(days=(7 - due.weekday()) % 7)
    return due.astimezone(UTC)


def zone_of(name: str) -> tzinfo:
    """Return the time zone of a name, UTC for none and for one that this system does not know any more."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def withdraw(*, group: str, by: User) -> None:
    """Take back, as far as it is unread, that somebody did something: a reaction that is no more."""
    for row in Notification.objects.unread().filter(group=group):
        if by.pk not in row.actors:
            continue
        User.objects.filter(pk=row.user_id).update(unread=None)
        row.actors = [one for one in row.actors if one != by.pk]
        row.times -= 1
        if row.actors:
            row.save(update_fields=("actors", "times"))
        else:
            row.delete()


def count_anew(places: Collection[str]) -> None:
    """Let those count again who have something unread of these places: who may see them has changed."""
    unread = Notification.objects.unread().filter(place__in=places)
    User.objects.filter(pk__in=unread.values("user")).update(unread=None)


def mute(place: str, *, by: User) -> None:
    """Tell somebody no more of what happens in a place, and take what is unread of it for read."""
    kind = place.partition(":")[0]
    with transaction.atomic():
        if not (kind in _mute and _mute[kind](place, by)):
            Muting.objects.get_or_create(user=by, place=place)
        note_read(by, place=place)


def unmute(place: str, *, by: User) -> None:
    Muting.objects.filter(user=by, place=place).delete()


def note_read(reader: User, *, place: str, upto: int | None = None) -> None:
    """Take rows of a place for read, of posts those up to a number; without a query when nothing is unread."""
    if reader.unread == 0:
        return
    rows = Notification.objects.unread().filter(user=reader, place=place)
    found = [row.pk for row in rows if upto is None or int(row.data.get("number", 0)) <= upto]
    if found:
        Notification.objects.filter(pk__in=found).update(read_at=timezone.now())
        User.objects.filter(pk=reader.pk).update(unread=None)
        reader.unread = None
