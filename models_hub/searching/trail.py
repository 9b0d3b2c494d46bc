"""The trail of changes, for those who keep in memory what lists filter by and who holds a word."""

from datetime import timedelta
from typing import NamedTuple

from django.db.models import Subquery
from django.db.models.functions import Now

from models_hub.models import CatalogueChange

KEPT = timedelta(days=2)
NEAR = 100


class Trail(NamedTuple):
    """The first and the last change that are still known, 0 where none is."""

    first: int
    last: int

    @classmethod
    def now(cls) -> "Trail":
        # Two places of one index: for a minimum and a maximum at once SQLite would read the whole table.
        first = CatalogueChange.objects.order_by("pk").values("pk")[:1]
        rows = CatalogueChange.objects.order_by("-pk").annotate(first=Subquery(first)).values_list("first", "pk")
        return cls(*(rows.first() or (0, 0)))

    def reaches(self, position: int) -> bool:
        """Say whether all that came after this position is still known."""
        return self.first - 1 <= position <= self.last

    def settled(self) -> int:
        """Return a position near the end before which nothing is missing.

        A transaction that began earlier may end later: what was not yet visible has an id near the end.
        """
        begin = max(self.last - NEAR, self.first - 1)
        known = set(CatalogueChange.objects.filter(pk__gt=begin, pk__lte=self.last).values_list("pk", flat=True))
        return next((pk - 1 for pk in range(begin + 1, self.last) if pk not in known), self.last)


def forget_old() -> None:
    """Drop the old end of the trail; a process that slept through it loads anew."""
    old = CatalogueChange.objects.filter(created_at__lt=Now() - KEPT)
    old.exclude(pk=Trail.now().last).delete()
