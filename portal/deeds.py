"""What people do that others hear of: which events are told, in which words, and the thing that each is about.

Each app says it of its own events. Whether a reader may see the thing is asked of portal/subjects.py when it is shown.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from portal.models import Event, Namespace


@dataclass(frozen=True)
class More:
    """What tells one deed from its like: a line of its own, and where below the thing's address that is."""

    text: str
    suffix: str = ""


Tell = Callable[[Sequence[Event]], Mapping[int, More]]
Places = Callable[[Namespace], Sequence[str]]


@dataclass(frozen=True)
class Kind:
    """One kind of event as feeds tell it: `said` is English and stands between the person and the thing."""

    name: str
    said: str
    icon: str
    key: Callable[[Event], str]
    tell: Tell | None = None
    is_personal: bool = False  # of interest to those who follow the person alone, as a like is
    begins_with: str = ""  # the kind of event that comes with it and need not be told, if it is the only one


_kinds: dict[str, Kind] = {}
_places: list[Places] = []


def register(kind: Kind) -> None:
    """Let feeds tell of a kind of event."""
    _kinds[kind.name] = kind


def register_places(places: Places) -> None:
    """Let `places` name the subjects of events that happen in what belongs to an organization."""
    if places not in _places:
        _places.append(places)


def kind_of(event: Event) -> Kind:
    return _kinds[event.kind]


def names() -> list[str]:
    return list(_kinds)


def common_names() -> list[str]:
    """Return the kinds that also those hear of who follow the thing, not the person."""
    return [kind.name for kind in _kinds.values() if not kind.is_personal]


def places_of(namespace: Namespace) -> list[str]:
    """Return the subjects of what happens in things of an organization, as each app names them."""
    return [subject for places in _places for subject in places(namespace)]


def details(events: Sequence[Event]) -> dict[int, More]:
    """Return what tells the events from their like, a query or two for each source that has some."""
    by_source: dict[Tell, list[Event]] = defaultdict(list)
    for event in events:
        if (tell := _kinds[event.kind].tell) is not None:
            by_source[tell].append(event)
    return {pk: more for tell, found in by_source.items() for pk, more in tell(found).items()}
