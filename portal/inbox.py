"""The inbox as its owner sees it: rows of what the owner may see now, how many are unread, and reading them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import broadcasting, subjects
from portal.badge_catalogue import RULES
from portal.errors import InvalidInput, NotFound
from portal.mod_actions import ACTIONS
from portal.models import Asker, Broadcast, FanOut, Inbox, Letter, Notification, Reason, Tier, User
from portal.models.notifications import KEEP_FOR, KEEP_MAIL, KEEP_ROWS
from portal.notification_kinds import CHANNELS, KINDS, NOTHING, PAGE, Kind, channel_of, pushed, who
from portal.notifying import next_digest
from portal.subjects import Subject

PAGE_ROWS = 30
LOOKED_AT = 90  # rows: what the reader may not see leaves gaps
MOST_COUNTED = 100
NAMED = 3
CONTINENTS = {"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


@dataclass(frozen=True)
class Line:
    """One row as it is shown. `subject` is what it leads to, None where it leads to a page of the portal's own."""

    row: Notification
    kind: Kind
    text: str
    actors: Sequence[User]
    subject: Subject | None
    place: Subject | None

    @property
    def path(self) -> str:
        """Where it leads to; only addresses within the portal are ever stored."""
        if path := self.row.data.get("several" if self.row.times > 1 else "path") or self.row.data.get("path"):
            return str(path)
        if self.subject is None:
            return "/notifications"
        return self.subject.path + (str(self.row.data.get("tail", "")) if self.row.times == 1 else "")

    @property
    def title(self) -> str:
        if self.row.times > 1 and self.row.data.get("several"):
            return ""  # the sentence names them
        return self.subject.title if self.subject else _own_title(self.row)

    @property
    def detail(self) -> str:
        if note := str(self.row.data.get("note") or ""):
            return note
        if self.row.data.get("action") in ACTIONS:
            return " · ".join(part for part in (str(self.row.data.get("title") or ""), _reason(self.row)) if part)
        return self.subject.detail if self.subject and self.title else ""


def _own_title(row: Notification) -> str:
    """Name what has no subject: a badge, what moderators did, what an appeal was about."""
    facts = row.data
    if facts.get("badge") in RULES:
        tier = Tier(facts["tier"]).label if facts.get("tier") in Tier.values else ""
        return f"{RULES[facts['badge']].name} · {tier}" if tier else RULES[facts["badge"]].name
    return str(ACTIONS[facts["action"]].done) if facts.get("action") in ACTIONS else str(facts.get("title") or "")


def _reason(row: Notification) -> str:
    """Name why moderators acted."""
    reason = row.data.get("reason")
    return str(Reason(reason).label) if reason in Reason.values else ""


@dataclass(frozen=True)
class Page:
    """Lines, and the id before which the next page begins."""

    lines: Sequence[Line]
    next_before: int | None


def page(reader: User, *, kind: str = "", unread: bool = False, before: int | None = None) -> Page:
    """Return a page of the inbox, the latest first."""
    broadcasting.pull(reader)
    rows = Notification.objects.filter(user=reader)
    if unread:
        rows = rows.unread()
    if kind:
        rows = rows.filter(kind=kind)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.newest()[: LOOKED_AT + 1])
    there, seen = _there(found[:LOOKED_AT], reader)
    lines = _lines(there[:PAGE_ROWS], seen)
    if len(there) > PAGE_ROWS:
        return Page(lines, there[PAGE_ROWS - 1].pk)
    return Page(lines, found[LOOKED_AT - 1].pk if len(found) > LOOKED_AT else None)


def shown(rows: Sequence[Notification], reader: Asker) -> list[Line]:
    """Return the lines of those rows that the reader may see; a constant number of queries."""
    return _lines(*_there(rows, reader))


def _there(rows: Sequence[Notification], reader: Asker) -> tuple[list[Notification], dict[str, Subject]]:
    """Return those rows that the reader may see, and what they are about."""
    seen = subjects.describe({key for row in rows for key in (*row.keys, row.place) if key}, reader)
    return [row for row in rows if row.kind in KINDS and _is_there(row, seen)], seen


def _lines(rows: Sequence[Notification], seen: dict[str, Subject]) -> list[Line]:
    people = _people(rows)
    return [_line(row, seen, people) for row in rows]


def count(reader: User, *, has_pulled: bool = False) -> int:
    """Return how much is unread, at most MOST_COUNTED, and keep it; without a query when it is known."""
    if reader.unread is not None and reader.reach is None:
        return reader.unread
    if not has_pulled:
        broadcasting.pull(reader)
    rows = list(Notification.objects.unread().filter(user=reader).newest()[:MOST_COUNTED])
    seen = subjects.describe({key for row in rows for key in row.keys}, reader) if rows else {}
    found = sum(1 for row in rows if row.kind in KINDS and _is_there(row, seen))
    if reader.reach is None:  # a limited token sees less than its person
        reader.unread = found
        User.objects.filter(pk=reader.pk).update(unread=found)
    return found


def find(reader: User, pk: int) -> Line:
    """Return one line; raises NotFound."""
    rows = list(Notification.objects.filter(user=reader, pk=pk))
    lines = shown(rows, reader)
    if not lines:
        raise NotFound(_("This notification is not there any more."))
    return lines[0]


def read(reader: User, pks: Collection[int]) -> None:
    """Take rows for read."""
    _read(reader, Notification.objects.filter(pk__in=pks).values_list("pk", flat=True))


def read_all(reader: User, *, kind: str = "", upto: int | None = None) -> None:
    """Take all for read that the reader has seen: what came since stays unread."""
    rows = Notification.objects.all()
    if kind:
        rows = rows.filter(kind=kind)
    if upto is not None:
        rows = rows.filter(pk__lte=upto)
    _read(reader, rows.values_list("pk", flat=True))


def unread_again(reader: User, pk: int) -> None:
    """Put a row back among the unread ones, unless a newer one has its place."""
    row = Notification.objects.filter(user=reader, pk=pk, read_at__isnull=False).first()
    if row is None:
        return
    newer = Notification.objects.unread().filter(user=reader, group=row.group).exclude(group="")
    if not newer.exists():
        Notification.objects.filter(pk=pk).update(read_at=None)
        _count_anew(reader)


def _read(reader: User, pks: Iterable[int]) -> None:
    if Notification.objects.unread().filter(user=reader, pk__in=pks).update(read_at=timezone.now()):
        _count_anew(reader)


def _count_anew(reader: User) -> None:
    User.objects.filter(pk=reader.pk).update(unread=None)
    reader.unread = None


def settings_of(reader: User) -> Inbox:
    """Return how somebody wants to hear of things; not stored before it is changed."""
    return Inbox.objects.filter(user=reader).first() or Inbox(user=reader)


def time_zones() -> dict[str, list[str]]:
    """Return the names of time zones by continent, for people to choose from."""
    found: dict[str, list[str]] = {}
    for name in sorted(available_timezones()):
        area, _slash, place = name.partition("/")
        if place and area in CONTINENTS:
            found.setdefault(area, []).append(name)
    return found


def prefer(
    reader: User,
    *,
    channels: dict[str, str],
    digest: str,
    time_zone: str | None = None,
    pushes: Collection[str] | None = None,
) -> Inbox:
    """Keep how somebody wants to hear of things, and in whose mornings; raises InvalidInput.

    `pushes` are the kinds of which devices are told; without it, those stay that are.
    """
    if (
        digest not in Inbox.Digest.values
        or (time_zone and time_zone not in available_timezones())
        or not {*channels, *(pushes or ())} <= set(KINDS)
        or not set(channels.values()) <= {*CHANNELS}
    ):
        raise InvalidInput(_("Choose one of the ways that are offered."))
    inbox, _created = Inbox.objects.get_or_create(user=reader)
    chosen = inbox.channels | channels
    inbox.channels = {kind: one for kind, one in chosen.items() if one != KINDS[kind].usual and not KINDS[kind].forced}
    inbox.digest = digest
    inbox.time_zone = inbox.time_zone if time_zone is None else time_zone
    inbox.pushes = inbox.pushes if pushes is None else sorted(pushed(list(pushes)))
    waiting = Notification.objects.filter(user=reader, mail=Notification.Mail.DIGEST).exists()
    wanted = waiting and digest != Inbox.Digest.NEVER
    inbox.digest_due_at = next_digest(digest, timezone.now(), inbox.time_zone) if wanted else None
    inbox.save(update_fields=("channels", "digest", "digest_due_at", "time_zone", "pushes"))
    return inbox


def stop_mail(reader: User, *, kinds: Collection[str] = (), digest: bool = False) -> None:
    """Send no mail of these kinds any more; on the page they stay."""
    inbox = settings_of(reader)
    still = {kind: PAGE for kind in kinds if kind in KINDS and channel_of(kind, inbox.channels) not in {PAGE, NOTHING}}
    prefer(reader, channels=still, digest=Inbox.Digest.NEVER if digest else inbox.digest)
    waiting = Notification.objects.filter(user=reader)
    if still:
        waiting.filter(kind__in=still, mail=Notification.Mail.DUE).update(mail=Notification.Mail.NONE)
        waiting.filter(kind__in=still, mail=Notification.Mail.DIGEST).update(mail=Notification.Mail.NONE)
    if digest:
        waiting.filter(mail=Notification.Mail.DIGEST).update(mail=Notification.Mail.NONE)


def forget_old(now: datetime | None = None) -> None:
    """Keep as many rows, and for so long, as is promised; of mail and broadcasts too."""
    now = now or timezone.now()
    Notification.objects.filter(created_at__lt=now - KEEP_FOR).delete()
    owners = Notification.objects.values("user").annotate(rows=Count("pk")).filter(rows__gt=KEEP_ROWS)
    for user in owners.values_list("user", flat=True):
        rows = Notification.objects.filter(user=user)
        first = rows.newest().values_list("pk", flat=True)[KEEP_ROWS - 1]
        rows.filter(pk__lt=first).delete()
        User.objects.filter(pk=user).update(unread=None)
    Letter.objects.filter(created_at__lt=now - KEEP_MAIL, state__in=Letter.OVER).delete()
    FanOut.objects.filter(done_at__lt=now - timedelta(days=7)).delete()
    if Broadcast.objects.exists():
        broadcasting.forget_old()


def _is_there(row: Notification, seen: dict[str, Subject]) -> bool:
    """Whether something of what a row is about is left for the reader; what has no subject is for its owner alone."""
    kind = KINDS[row.kind]
    return not row.keys or kind.forced or kind.stays or any(key in seen for key in row.keys)


def _line(row: Notification, seen: dict[str, Subject], people: dict[int, User]) -> Line:
    kind = KINDS[row.kind]
    actors = [people[pk] for pk in reversed(row.actors) if pk in people]
    names = who([one.display_name for one in actors[:NAMED]], len(actors))
    subject = next((seen[key] for key in row.keys if key in seen), None)
    return Line(row, kind, kind.say(row, names), actors[:NAMED], subject, seen.get(row.place))


def _people(rows: Sequence[Notification]) -> dict[int, User]:
    ids = {pk for row in rows for pk in row.actors}
    found = User.objects.filter(Q(pk__in=ids), is_active=True).select_related("namespace") if ids else []
    return {user.pk: user for user in found}
