"""The facets of all public repositories, in the memory of each process, as bitmaps of their ids.

Counting what a hundred thousand repositories have in common with three filters is some intersections of bitmaps; for a
database it would be a scan. The bitmaps are loaded once and follow the trail of changes, which every request asks for
what is new. Of private repositories nothing is here: those that the asker sees are counted beside it, one by one.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Min, Q
from django.db.models.functions import Now
from pyroaring import BitMap

from models_hub.models import CatalogueChange, Repo
from models_hub.searching import facets, ranking
from models_hub.searching.postings import postings

CHANGES_KEPT = timedelta(days=2)
USE_SECONDS = 3600.0  # how much a repository is used changes without a trail
BATCH = 500
NEAR = 100
LEVELS = 8  # of use, for each ten times of it
AWAITED_SECONDS = 120.0

Key = tuple[str, str]  # facet and value


class Catalogue:
    """One kind of repository: who has what, and how much each is used."""

    def __init__(self) -> None:
        self.everything = BitMap()
        self.having: dict[Key, BitMap] = defaultdict(BitMap)
        self.days: dict[int, BitMap] = defaultdict(BitMap)  # by the day of the last update
        self.use: dict[int, float] = {}
        self._levels: dict[int, BitMap] = defaultdict(BitMap)  # by their use, coarsely
        self._day: dict[int, int] = {}
        self._values: dict[int, tuple[Key, ...]] = {}
        self._known: dict[Key, Key] = {}  # so that a hundred thousand repositories share their keys

    def put(self, row: Mapping[str, Any]) -> None:
        pk = row["id"]
        self.remove(pk)
        keys = tuple(self._known.setdefault(key, key) for key in facets.values_of(row))
        for key in keys:
            self.having[key].add(pk)
        self.everything.add(pk)
        self._day[pk] = facets.day_of(row["updated_at"])
        self.days[self._day[pk]].add(pk)
        self._values[pk] = keys
        self.use[pk] = ranking.use_of(row)
        self._levels[_level(self.use[pk])].add(pk)

    def remove(self, pk: int) -> None:
        for key in self._values.pop(pk, ()):
            self.having[key].discard(pk)
        self.everything.discard(pk)
        if (day := self._day.pop(pk, None)) is not None:
            self.days[day].discard(pk)
        if (use := self.use.pop(pk, None)) is not None:
            self._levels[_level(use)].discard(pk)

    def narrowed(self, filters: Mapping[str, str], *, without: str = "") -> BitMap:
        """Return who has all that is asked for, leaving out one facet."""
        found = self.everything.copy()
        for name, value in filters.items():
            if name == without:
                continue
            if name == facets.UPDATED_NAME:
                found &= self.updated(value)
            elif name in facets.BY_NAME:
                found &= self.having.get((name, value), BitMap())
        return found

    def count_with(self, facet: str, ids: BitMap) -> dict[str, int]:
        """Return how many of these have each value of a facet."""
        # A copy, which is one step: other threads may put repositories in meanwhile.
        having = [(value, found) for (name, value), found in list(self.having.items()) if name == facet]
        return {value: count for value, found in having if (count := ids.intersection_cardinality(found))}

    def most_used(self, ids: BitMap, count: int) -> BitMap:
        """Return so many of those that are used most; of those used about alike, the newest."""
        found = BitMap()
        for level in sorted(self._levels, reverse=True):
            if len(found) >= count:
                break
            here, left = ids & self._levels[level], count - len(found)
            found |= here if len(here) <= left else here[-left:]
        return found

    def take_use(self, row: Mapping[str, Any]) -> None:
        """Take in how much a repository is used now."""
        pk, use = row["id"], ranking.use_of(row)
        if (known := self.use.get(pk)) is not None and known != use:
            self._levels[_level(known)].discard(pk)
            self._levels[_level(use)].add(pk)
            self.use[pk] = use

    def updated(self, value: str) -> BitMap:
        """Return who was updated within the last day, week, month or year."""
        first = facets.first_day(value)
        recent = [ids for day, ids in list(self.days.items()) if day >= first] if first is not None else []
        return BitMap.union(*recent) if recent else BitMap()


def _level(use: float) -> int:
    return int(use * LEVELS)


class Catalogues:
    """The catalogues of all kinds in this process, kept up with the trail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, Catalogue] = {}
        self._seen = -1
        # Ids of the trail that were passed over, and until when they are awaited: a transaction that began earlier may
        # end later.
        self._missing: dict[int, float] = {}
        self._loaded = 0.0
        self._database = ""

    def of(self, kind: str) -> Catalogue:
        """Return a catalogue as it is now; asks the database what changed, in one query when nothing did."""
        with self._lock:
            self._follow()
            return self._kinds.setdefault(kind, Catalogue())

    def forget(self) -> None:
        with self._lock:
            self._seen = -1

    def _follow(self) -> None:
        trail = CatalogueChange.objects.aggregate(first=Min("pk"), last=Max("pk"))
        first, last = trail["first"] or 0, trail["last"] or 0
        name = str(connection.settings_dict["NAME"])
        if self._seen < 0 or self._seen > last or name != self._database or self._seen < first - 1:
            postings.forget()
            self._load(last, name)
        elif last > self._seen or self._missing:
            self._advance(last)
        if time.monotonic() - self._loaded > USE_SECONDS:
            self._load_use()

    def _advance(self, last: int) -> None:
        now = time.monotonic()
        self._missing = {pk: until for pk, until in self._missing.items() if until > now}
        wanted = Q(pk__gt=self._seen) | Q(pk__in=list(self._missing))
        rows = dict(CatalogueChange.objects.filter(wanted, pk__lte=last).values_list("pk", "repo_id"))
        late = {pk: now + AWAITED_SECONDS for pk in range(self._seen + 1, last) if pk not in rows}
        self._missing = {pk: until for pk, until in (self._missing | late).items() if pk not in rows}
        self._take(set(rows.values()))
        self._seen = last

    def _load(self, last: int, name: str) -> None:
        self._kinds = {kind: Catalogue() for kind in Repo.Kind.values}
        for row in Repo.objects.filter(private=False).order_by().values(*facets.COLUMNS).iterator(chunk_size=5000):
            self._kinds[row["kind"]].put(row)
        # What was not yet visible when the rows were read has an id near the end.
        awaited = time.monotonic() + AWAITED_SECONDS
        known = set(CatalogueChange.objects.filter(pk__gt=last - NEAR).values_list("pk", flat=True))
        self._missing = {pk: awaited for pk in range(max(last - NEAR, 0) + 1, last) if pk not in known}
        self._seen, self._loaded, self._database = last, time.monotonic(), name

    def _load_use(self) -> None:
        for row in Repo.objects.filter(private=False).order_by().values("id", "kind", "downloads", "likes").iterator():
            self._kinds[row["kind"]].take_use(row)
        self._loaded = time.monotonic()

    def _take(self, changed: Iterable[int]) -> None:
        ids = sorted(changed)
        postings.follow(ids)
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            rows = {row["id"]: row for row in Repo.objects.filter(pk__in=batch, private=False).values(*facets.COLUMNS)}
            for pk in batch:
                for kind, catalogue in self._kinds.items():
                    if pk in rows and rows[pk]["kind"] == kind:
                        catalogue.put(rows[pk])
                    else:
                        catalogue.remove(pk)


def forget_old() -> None:
    """Drop the old end of the trail; a process that slept through it loads anew."""
    newest = CatalogueChange.objects.aggregate(last=Max("pk"))["last"]
    CatalogueChange.objects.filter(created_at__lt=Now() - CHANGES_KEPT).exclude(pk=newest).delete()


catalogues = Catalogues()
