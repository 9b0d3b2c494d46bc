"""Feeds: what people did, and what happened to what somebody follows, the latest first.

A feed is made when it is read: events name things by their keys, and what the reader may not see now is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from portal import deeds, following, subjects
from portal.models import Asker, Event, Namespace, User
from portal.privacy import shows
from portal.subjects import Subject

PAGE = 30
LOOKED = 90  # events read at once
ROUNDS = 3  # so many times, where much of it is hidden from the reader
SHOWN = {"": _("All"), "people": _("People"), "things": _("Models, data and topics")}


@dataclass(frozen=True)
class Line:
    """One thing that somebody did, `times` in a row; `event` is the latest of them."""

    event: Event
    said: str
    icon: str
    subject: Subject
    detail: str
    path: str
    times: int = 1


@dataclass(frozen=True)
class Page:
    lines: Sequence[Line]
    next_before: int | None


EMPTY = Page((), None)


def of(reader: User, *, show: str = "", before: int | None = None) -> Page:
    """Return a page of what those did whom the reader follows, and of what happened in what the reader follows."""
    chosen: list[QuerySet[Event]] = []
    if show != "things" and (people := following.people(reader)):
        chosen.append(Event.objects.filter(actor__in=people, kind__in=deeds.names()))
    if show != "people" and (places := following.subjects_of(reader)):
        others = Event.objects.filter(subject__in=places, kind__in=deeds.common_names())
        chosen.append(others.exclude(actor=reader))
    return _page(chosen, reader, before)


def by(namespace: Namespace, reader: Asker, *, before: int | None = None) -> Page:
    """Return a page of what a person did, or of what was done to things of an organization."""
    if namespace.user is None:
        done = Event.objects.filter(subject__in=deeds.places_of(namespace), kind__in=deeds.common_names())
        return _page([done], reader, before)
    if not shows(namespace.user, "activity", to=reader):
        return EMPTY
    return _page([Event.objects.filter(actor=namespace.user, kind__in=deeds.names())], reader, before)


def _page(chosen: Iterable[QuerySet[Event]], reader: Asker, before: int | None) -> Page:
    """Return the first lines whose things the reader may see; how many rounds that takes is bounded."""
    sources = list(chosen)
    lines: list[Line] = []
    for _round in range(ROUNDS):
        events, is_last = _next(sources, before)
        for line in _told(events, reader):
            if lines and _comes_with(lines[-1], line):
                lines[-1] = line
            elif lines and _is_again(lines[-1], line):
                lines[-1] = replace(lines[-1], times=lines[-1].times + 1)
            elif len(lines) == PAGE:
                return Page(lines, line.event.pk + 1)
            else:
                lines.append(line)
        if is_last:
            return Page(lines, None)
        before = events[-1].pk
    return Page(lines, before)


def _next(sources: Sequence[QuerySet[Event]], before: int | None) -> tuple[list[Event], bool]:
    """Return the latest events of several ranges, and whether there are no more."""
    wanted = Q() if before is None else Q(pk__lt=before)
    found: dict[int, Event] = {}
    for source in sources:
        rows = source.filter(wanted).select_related("actor").order_by("-pk")
        found.update({event.pk: event for event in rows[: LOOKED + 1]})
    events = sorted(found.values(), key=lambda event: -event.pk)
    return events[:LOOKED], len(events) <= LOOKED


def _told(events: Sequence[Event], reader: Asker) -> list[Line]:
    keys = {event.pk: deeds.kind_of(event).key(event) for event in events}
    seen = subjects.describe(keys.values(), reader)
    shown = [event for event in events if keys[event.pk] in seen]
    details = deeds.details(shown)
    lines = []
    for event in shown:
        kind, subject, more = deeds.kind_of(event), seen[keys[event.pk]], details.get(event.pk, deeds.More(""))
        detail = more.text or ("" if subject.kind == "post" else subject.detail)
        lines.append(Line(event, kind.said, kind.icon, subject, detail, subject.path + more.suffix))
    return lines


def _comes_with(line: Line, other: Line) -> bool:
    """Whether the earlier line tells all: what a repository begins with is a commit of its own."""
    first = deeds.kind_of(other.event).begins_with == line.event.kind and line.times == 1
    return first and (line.event.actor_id, line.subject.key) == (other.event.actor_id, other.subject.key)


def _is_again(line: Line, other: Line) -> bool:
    """Whether the earlier line says the same: the same person, the same act, the same thing."""
    one, two = line.event, other.event
    return (one.kind, one.actor_id, line.subject.key) == (two.kind, two.actor_id, other.subject.key)
