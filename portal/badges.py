"""Badges: the best of what people have been given, for whoever shows names."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

SHOWN = 3


@dataclass(frozen=True)
class Shown:
    """A badge beside a name: its name in the reader's language, its icon and its tier."""

    slug: str
    name: str
    icon: str
    tier: int


def shown_of(user_ids: Collection[int]) -> dict[int, list[Shown]]:
    """Return the few best badges of each person, in one query."""
    return defaultdict(list)
