"""Addresses of public pages for search engines. Each app names its own; a file of them is a range of row ids.

So a file costs the same however many rows there are, keeps its place while others come, and what is private or off
the lists is only a gap.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import Max, QuerySet

SIZE = 5000  # ids in a file; fifty thousand addresses are allowed


@dataclass(frozen=True)
class Section:
    """One kind of page: rows that everybody may see, their addresses, and the field that says when one changed."""

    rows: Callable[[], QuerySet[Any]]
    changed: str
    path: Callable[[Any], str]

    def files(self) -> int:
        """Return how many files there are."""
        return ((self.rows().order_by().aggregate(last=Max("pk"))["last"] or 0) + SIZE - 1) // SIZE

    def addresses(self, number: int) -> Iterator[tuple[str, datetime]]:
        """Return paths and times of one file, counted from 1."""
        found = self.rows().filter(pk__gt=(number - 1) * SIZE, pk__lte=number * SIZE)
        for row in found.order_by("pk").iterator(chunk_size=500):
            yield self.path(row), getattr(row, self.changed)


sections: dict[str, Section] = {}


def register(
    name: str, rows: Callable[[], QuerySet[Any]], *, changed: str, path: Callable[[Any], str] = attrgetter("path")
) -> None:
    """Let pages of this kind be found."""
    sections[name] = Section(rows, changed, path)
