"""What very many watch is one row for all of them, which each inbox takes in when its owner looks.

So a post is never delayed by its readers, and whoever never comes costs nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal import notifying
from portal.models import Broadcast, Inbox, User

KEEP = timedelta(days=30)
AT_ONCE = 200
SLICE = 5000  # people marked in one statement

# Which of these things, by id, somebody watches, and since when if that is known: other apps answer.
Watched = Callable[[Collection[int], User], dict[int, datetime | None]]
_watched: dict[str, Watched] = {}


def register_watched(kind: str, answer: Watched) -> None:
    _watched[kind] = answer


def broadcast(
    kind: str,
    *,
    watched: str,
    about: str,
    by: User | None,
    event: int,
    place: str = "",
    group: str = "",
    data: dict[str, Any] | None = None,
    told: Collection[int] = (),
) -> None:
    """Put it where all who watch `watched` find it, without those who were told in another way."""
    Broadcast.objects.get_or_create(
        event=event,
        defaults={
            "watched": watched, "kind": kind, "about": about, "place": place, "group": group, "by": by,
            "data": data or {}, "told": sorted(told),
        },
    )  # fmt: skip


def ring(people: Collection[int]) -> None:
    """Let people look whether there is something new, in few statements whoever many they are."""
    ids = sorted(people)
    for start in range(0, len(ids), SLICE):
        first, last = ids[start], ids[min(start + SLICE, len(ids)) - 1]
        if last - first < 2 * SLICE:  # near one another: a range is shorter than thousands of numbers
            User.objects.filter(pk__gte=first, pk__lte=last).exclude(unread=None).update(unread=None)
        else:
            for at in range(start, min(start + SLICE, len(ids)), 900):
                User.objects.filter(pk__in=ids[at : min(at + 900, start + SLICE)]).update(unread=None)


def pull(reader: User) -> None:
    """Take into somebody's inbox what was put out for all since the last look; one query when there is nothing."""
    inbox = Inbox.objects.filter(user=reader).first()
    after = inbox.broadcast if inbox else 0
    fresh = Broadcast.objects.filter(pk__gt=after, created_at__gt=max(reader.date_joined, timezone.now() - KEEP))
    found = list(fresh.select_related("by").order_by("id")[:AT_ONCE])
    if not found:
        return
    with transaction.atomic():
        Inbox.objects.get_or_create(user=reader)
        # Of two pages that are opened at once, the second finds nothing left.
        held = Inbox.objects.select_for_update().get(user=reader)
        wanted = [one for one in found if one.pk > held.broadcast]
        since = _since(wanted, reader)
        for one in wanted:
            if one.watched in since and since[one.watched] <= one.created_at and reader.pk not in one.told:
                notifying.notify(
                    one.kind, people=[reader], about=one.about, by=one.by, data=one.data, group=one.group,
                    place=one.place, event=one.event,
                )  # fmt: skip
        Inbox.objects.filter(user=reader).update(broadcast=found[-1].pk)


def _since(rows: Collection[Broadcast], reader: User) -> dict[str, datetime]:
    """Return what of all this the reader watches, and since when."""
    asked: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        kind, _colon, pk = row.watched.partition(":")
        if kind in _watched:
            asked[kind].add(int(pk))
    return {
        f"{kind}:{pk}": at or reader.date_joined
        for kind, pks in asked.items()
        for pk, at in _watched[kind](pks, reader).items()
    }


def forget_old() -> None:
    """Drop what is too old to be taken in, but the last one: ids must go on growing."""
    last = Broadcast.objects.aggregate(last=Max("pk"))["last"]
    Broadcast.objects.filter(created_at__lt=timezone.now() - KEEP).exclude(pk=last).delete()
