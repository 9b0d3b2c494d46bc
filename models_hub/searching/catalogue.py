"""The facets of all public repositories, in the memory of each process, as bitmaps of their ids.

Counting what a hundred thousand repositories have in common with three filters is some intersections of bitmaps; for a
database it would be a scan. The bitmaps come from a snapshot and follow the trail of changes, which every request asks
for what is new. Of private repositories nothing is here: those that the asker sees are counted beside it, one by one.
"""

import threading
import time
from collections.abc import Iterable

from django.db import connection
from django.db.models import Q
from pyroaring import BitMap

from models_hub.models import CatalogueChange, Repo
from models_hub.searching import bitmaps, facets, snapshots
from models_hub.searching.bitmaps import Catalogue
from models_hub.searching.postings import postings
from models_hub.searching.trail import Trail

USE_SECONDS = 3600.0  # how much a repository is used changes without a trail, but snapshots know it
BATCH = 500
AWAITED_SECONDS = 120.0


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
        trail = Trail.now()
        name = str(connection.settings_dict["NAME"])
        is_lost = self._seen < 0 or name != self._database or not trail.reaches(self._seen)
        if is_lost:
            postings.forget()
        if is_lost or time.monotonic() - self._loaded > USE_SECONDS:
            self._load(trail, is_lost=is_lost)
            self._database = name
        if trail.last > self._seen or self._missing:
            self._advance(trail.last)

    def _load(self, trail: Trail, *, is_lost: bool) -> None:
        """Load the snapshot; when there is none and what we have is of no use, read all repositories."""
        if snapshot := snapshots.read(trail):
            self._seen, self._kinds = snapshot
            self._missing = {}
        elif is_lost:
            self._seen, self._kinds = trail.settled(), bitmaps.read_all()
            self._missing = {}
        self._loaded = time.monotonic()

    def _advance(self, last: int) -> None:
        now = time.monotonic()
        self._missing = {pk: until for pk, until in self._missing.items() if until > now}
        wanted = Q(pk__gt=self._seen) | Q(pk__in=list(self._missing))
        rows = dict(CatalogueChange.objects.filter(wanted, pk__lte=last).values_list("pk", "repo_id"))
        late = {pk: now + AWAITED_SECONDS for pk in range(self._seen + 1, last) if pk not in rows}
        self._missing = {pk: until for pk, until in (self._missing | late).items() if pk not in rows}
        self._take(set(rows.values()))
        self._seen = last

    def _take(self, changed: Iterable[int]) -> None:
        ids = sorted(changed)
        postings.follow(ids)
        for start in range(0, len(ids), BATCH):
            batch = BitMap(ids[start : start + BATCH])
            rows = list(Repo.objects.listed().filter(pk__in=[*batch], private=False).values(*facets.COLUMNS))
            for kind, catalogue in self._kinds.items():
                catalogue.take(batch, [row for row in rows if row["kind"] == kind])


catalogues = Catalogues()
