"""What moderation may look at and act on. Each app answers for its own kinds of things, as in portal/subjects.py,
but without asking who reads: moderators see what is hidden, of what was reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from portal.models import Decision, User


@dataclass(frozen=True)
class Neighbour:
    """What somebody said beside the thing, in short."""

    number: int
    path: str
    author: str  # a username; "" of a deleted account
    at: datetime
    text: str
    state: str = ""  # as of the thing itself
    is_answered: bool = False  # the thing answers this


@dataclass(frozen=True)
class Surroundings:
    """Where a thing stands, and what stands before and after it, in the order of the page that has them all."""

    title: str
    path: str
    before: tuple[Neighbour, ...] = ()
    after: tuple[Neighbour, ...] = ()


def standing_alone() -> None:
    """Say that nothing stands around a thing."""


@dataclass(frozen=True)
class Target:
    """One thing that can be reported, as its moderators see it."""

    key: str
    title: str
    path: str
    label: str  # what it is: "post", "model"
    text: str = ""  # what it says, as it was written
    preface: str = ""  # what stands on top of that for machines: a card's metadata
    html: str = ""  # the same, rendered and cleaned by the app that has it
    author_id: int | None = None
    organization_id: int | None = None  # whose people may not judge it
    told: tuple[int, ...] = ()  # who hears of decisions beside the author
    place: str = ""  # "category:3": stewards of it see its cases
    whole: str = ""  # the key of what it opens, which stays when it alone is hidden: the topic of a first post
    is_private: bool = False
    state: str = ""  # "hidden", "held", "disabled", ... in English, translated where it is shown
    facts: dict[str, str] = field(default_factory=dict)
    around: Callable[[], Surroundings | None] = standing_alone  # asks the database: the page of a case alone needs it

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]


class Keeper(Protocol):
    """How an app lets its things be moderated."""

    @property
    def actions(self) -> tuple[str, ...]: ...

    def load(self, pk: int) -> Target | None: ...

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        """Do it, in the caller's transaction; returns what undoing will need."""

    def undo(self, pk: int, action: str, decision: Decision) -> None: ...


class OnlyTold:
    """Keeps things that nothing is done to: a friendly word or a warning reaches their people, and that is all."""

    actions = ("nudge", "warn")

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        raise AssertionError(f"“{action}” was let through for {decision.about}, to which nothing is done")

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        raise AssertionError(f"“{action}” was never done to {decision.about}")


_keepers: dict[str, Keeper] = {}
_places: list[Callable[[User], set[str]]] = []


def register(kind: str, keeper: Keeper) -> None:
    """Let things of this kind be reported and acted on."""
    _keepers[kind] = keeper


def register_places(places_of: Callable[[User], set[str]]) -> None:
    """Let an app say in which of its places a person keeps order."""
    _places.append(places_of)


def keeper_of(key: str) -> tuple[Keeper, int] | None:
    """Return who answers for a key, and the id in it; None for what nobody knows."""
    kind, _colon, pk = key.partition(":")
    if kind in _keepers and pk.isascii() and pk.isdigit() and len(pk) < 19:
        return _keepers[kind], int(pk)
    return None


def load(key: str) -> Target | None:
    """Return the thing, None when it is gone."""
    known = keeper_of(key)
    return known[0].load(known[1]) if known else None


def actions_of(key: str) -> tuple[str, ...]:
    known = keeper_of(key)
    return known[0].actions if known else ()


def places_of(user: User) -> set[str]:
    """Return where the person keeps order."""
    return set().union(*(find(user) for find in _places))
