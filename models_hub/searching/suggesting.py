"""Names that a reader may mean: while typing in the navigation, and when nothing was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from django.db.models import Q

from models_hub.models import Repo
from models_hub.searching.finding import Found
from portal.models import Asker, Namespace

EACH = 5
OWNERS = 4
LONGEST = 40
KNOWN_NAMES = 2000  # among which a slip of the pen is looked for


@dataclass(frozen=True)
class Suggested:
    """The best few of each kind."""

    models: Sequence[Repo]
    datasets: Sequence[Repo]
    spaces: Sequence[Repo]
    owners: Sequence[Namespace]
    counts: dict[str, int]

    @property
    def is_empty(self) -> bool:
        return not (self.models or self.datasets or self.spaces or self.owners)


def suggest(text: str, *, user: Asker, each: int = EACH) -> Suggested:
    """Return the best of every kind for what was typed so far."""
    found = {kind: Found(kind, text=text, filters={}, user=user) for kind in Repo.Kind.values}
    ids = {kind: one.ranked()[:each] if one.count else [] for kind, one in found.items()}
    wanted = [pk for kept in ids.values() for pk in kept]
    rows = Repo.objects.visible_to(user).select_related("namespace").in_bulk(wanted) if wanted else {}
    shown = {kind: [rows[pk] for pk in kept if pk in rows] for kind, kept in ids.items()}
    return Suggested(
        shown[Repo.Kind.MODEL], shown[Repo.Kind.DATASET], shown[Repo.Kind.SPACE], owners(text)[:each],
        {kind: one.count for kind, one in found.items()},
    )  # fmt: skip


def owners(text: str) -> list[Namespace]:
    """Return people and organizations whose name begins with what was typed."""
    begun = text.strip().lower()[:LONGEST].replace("\x00", "")
    if not begun:
        return []
    # A range uses the index over lower names on every database, LIKE does not.
    rows = Namespace.objects.filter(Q(lower__gte=begun, lower__lt=begun + "\U0010ffff"))
    return list(rows.select_related("user", "organization").order_by("lower")[:OWNERS])


def nearest(text: str, kind: str, *, user: Asker) -> str:
    """Return the name of a repository that looks like what was asked for, "" when none does."""
    asked_for = text.strip().lower()[:LONGEST]
    if len(asked_for) < 3:
        return ""
    rows = Repo.objects.visible_to(user).listed().filter(kind=kind).order_by("-downloads", "-id")
    names = {name for full in rows.values_list("lower", flat=True)[:KNOWN_NAMES] for name in (full, *full.split("-"))}
    return next(iter(get_close_matches(asked_for, names, n=1, cutoff=0.75)), "")
