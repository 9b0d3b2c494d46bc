"""Lets a topic tell the facts of a comparison."""

from collections.abc import Mapping, Sequence

from portal import telling
from portal.models import Asker
from portal.telling import Told

PATH = "/compare"


def register() -> None:
    telling.register(PATH, "compare", _told)


def _told(query: Mapping[str, Sequence[str]], reader: Asker) -> Told | None:
    # The relay and workers register this too, and never tell: they need not hold the libraries of arrays for it.
    from leaderboard.comparing import facts

    return facts.told(query, reader)
