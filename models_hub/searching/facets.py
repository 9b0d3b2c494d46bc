"""The facets of lists: which values of each a repository has. What counts them filters by them too."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from models_hub.models import Repo

MB = 1_000_000
# Upper ends of the classes of the leaderboard, and one that is open.
PARAMETER_CLASSES = {
    "5M": 5 * MB, "25M": 25 * MB, "100M": 100 * MB, "500M": 500 * MB, "1B": 1000 * MB, "3B": 3000 * MB,
    "7B": 7000 * MB, "more": 2**62,
}  # fmt: skip
SIZE_CLASSES = {
    "10MB": 10 * MB, "50MB": 50 * MB, "100MB": 100 * MB, "500MB": 500 * MB, "1GB": 1000 * MB, "5GB": 5000 * MB,
    "more": 2**62,
}  # fmt: skip
# What fits in so many bytes: each holds those before it.
MEMORY = {
    "50MB": 50 * MB, "100MB": 100 * MB, "250MB": 250 * MB, "500MB": 500 * MB, "1GB": 1000 * MB, "2GB": 2000 * MB,
    "4GB": 4000 * MB, "8GB": 8000 * MB,
}  # fmt: skip
UPDATED = {"day": 1, "week": 7, "month": 30, "year": 365}
YES = "yes"
UPDATED_NAME = "updated"
# The columns that `values_of` reads, in its order.
COLUMNS = (
    "id", "kind", "task", "library", "license", "license_class", "languages", "architecture", "formats", "precisions",
    "parameters", "size", "memory_bytes", "has_card", "best_score", "downloads", "likes", "updated_at",
)  # fmt: skip


OfRow = Callable[[Mapping[str, Any]], Iterable[str]]


class Facet(NamedTuple):
    """One facet. `order` lists its values where they have one of their own; without it the frequent come first."""

    name: str
    title: str | Promise
    of_row: OfRow  # the values that a row of COLUMNS has
    order: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset(Repo.Kind.values)


def _column(name: str) -> OfRow:
    return lambda row: [row[name]] if row[name] else []


def _several(name: str) -> OfRow:
    return lambda row: {str(value) for value in row[name]}


def _classes(name: str, ends: Mapping[str, int]) -> OfRow:
    """Classes beside each other: from the end of the one before up to their own."""
    return lambda row: [] if row[name] is None else [next(key for key, end in ends.items() if row[name] <= end)]


def _fits(row: Mapping[str, Any]) -> Iterable[str]:
    needed = row["memory_bytes"]
    return [] if needed is None else [key for key, room in MEMORY.items() if needed <= room]


def _yes(column: str) -> OfRow:
    return lambda row: [YES] if row[column] not in (None, False) else []


def day_of(moment: datetime) -> int:
    """Return the number of a moment's day, in UTC: “updated” is counted in whole days."""
    return moment.astimezone(UTC).date().toordinal()


def first_day(value: str) -> int | None:
    """Return the first day of the last day, week, month or year."""
    return day_of(timezone.now()) - UPDATED[value] + 1 if value in UPDATED else None


MODELS = frozenset({Repo.Kind.MODEL})
LICENCE_CLASSES = ("permissive", "copyleft", "restricted", "other", "unknown")
FACETS = (
    Facet("task", _("Task"), _column("task")),
    Facet("language", _("Language"), _several("languages")),
    Facet("license_class", _("Licence"), _column("license_class"), order=LICENCE_CLASSES),
    Facet("memory", _("Fits in memory of"), _fits, tuple(MEMORY), MODELS),
    Facet("size_class", _("Parameters"), _classes("parameters", PARAMETER_CLASSES), tuple(PARAMETER_CLASSES), MODELS),
    Facet("disk", _("Size on disk"), _classes("size", SIZE_CLASSES), tuple(SIZE_CLASSES)),
    Facet("format", _("Format"), _several("formats"), kinds=MODELS),
    Facet("library", _("Library"), _column("library")),
    Facet("architecture", _("Architecture"), _column("architecture"), kinds=MODELS),
    Facet("precision", _("Number format"), _several("precisions"), kinds=MODELS),
    Facet("scored", _("Verified score"), _yes("best_score"), (YES,), MODELS),
    Facet("has_card", _("Card"), _yes("has_card"), (YES,)),
    Facet("license", _("Exact licence"), _column("license")),
)
BY_NAME = {facet.name: facet for facet in FACETS}


def values_of(row: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield (facet, value) for all that a repository has."""
    for facet in FACETS:
        if row["kind"] in facet.kinds:
            for value in facet.of_row(row):
                yield facet.name, value


def fits(row: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    """Say whether a repository has all that is asked for."""
    for name, value in filters.items():
        if name == UPDATED_NAME:
            first = first_day(value)
            if first is None or day_of(row["updated_at"]) < first:
                return False
        elif name in BY_NAME and value not in BY_NAME[name].of_row(row):
            return False
    return True
