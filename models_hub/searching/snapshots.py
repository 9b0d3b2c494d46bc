"""Snapshots of the catalogues: a process that starts reads some bitmaps, not every repository.

The relay makes them in the background. Each tells up to which change it is true, and whoever reads it takes in what
came after; without one, or with one that other code made, all repositories are read.
"""

from datetime import timedelta
from hashlib import blake2b
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from models_hub.models import CatalogueSnapshot
from models_hub.searching import bitmaps, facets, ranking
from models_hub.searching.bitmaps import Catalogue
from models_hub.searching.trail import Trail

MANY = 300  # changes, after which a new process would take its time to follow
SOON, LATER = timedelta(minutes=5), timedelta(hours=1)
# Other code may read other values from a repository.
MADE_BY = blake2b(
    b"".join(Path(str(module.__file__)).read_bytes() for module in (bitmaps, facets, ranking)), digest_size=16
).hexdigest()


def read(trail: Trail) -> tuple[int, dict[str, Catalogue]] | None:
    """Return up to which change the newest snapshot is true, and its catalogues, in one query."""
    rows = list(CatalogueSnapshot.objects.filter(made_by=MADE_BY).values_list("kind", "position", "content"))
    position = min((row[1] for row in rows), default=-1)
    if not rows or not trail.reaches(position):
        return None
    return position, {kind: Catalogue.unpacked(bytes(content)) for kind, _position, content in rows}


def is_due() -> bool:
    """Say whether starting from the snapshot would take long, or was last made easier long ago."""
    kept = CatalogueSnapshot.objects.filter(made_by=MADE_BY).order_by("position").first()
    trail = Trail.now()
    if kept is None or not trail.reaches(kept.position):
        return True
    age = timezone.now() - kept.made_at
    return trail.last > kept.newest and age > (SOON if trail.last - kept.newest > MANY else LATER)


def make() -> None:
    """Read all repositories and keep what they have. Killed before the end, it leaves the last one."""
    trail, made_at = Trail.now(), timezone.now()
    position = trail.settled()
    packed = {kind: catalogue.packed() for kind, catalogue in bitmaps.read_all().items()}
    facts = {"position": position, "newest": trail.last, "made_by": MADE_BY, "made_at": made_at}
    with transaction.atomic():
        for kind, content in packed.items():
            CatalogueSnapshot.objects.update_or_create(kind=kind, defaults={**facts, "content": content})
