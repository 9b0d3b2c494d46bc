"""The facets of lists: what a repository has of each, and what a filter asks of the database.

Both sides are beside each other, since they must never disagree: `values_of` counts, `condition` filters.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from models_hub.models import Label, Repo

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
Condition = Callable[[str, str], Q | None]
Sides = tuple[OfRow, Condition]


class Facet(NamedTuple):
    """One facet. `order` lists its values where they have one of their own; without it the frequent come first."""

    name: str
    title: str | Promise
    sides: Sides
    order: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset(Repo.Kind.values)

    def of_row(self, row: Mapping[str, Any]) -> Iterable[str]:
        """Return the values that a row of COLUMNS has."""
        return self.sides[0](row)

    def condition(self, kind: str, value: str) -> Q | None:
        """Return what a repository with this value fulfils, None for a value that none can have."""
        return self.sides[1](kind, value)


def _column(name: str) -> Sides:
    return (lambda row: [row[name]] if row[name] else []), (lambda _kind, value: Q(**{name: value}))


def _labels(name: str, prefix: Mapping[str, str]) -> Sides:
    """Values that stand in labels too, where a filter finds them by an index."""

    def of_row(row: Mapping[str, Any]) -> Iterable[str]:
        return {str(value) for value in row[name]}

    def condition(kind: str, value: str) -> Q:
        text = f"{prefix.get(kind, '')}{value}"
        return Q(Exists(Label.objects.filter(repo=OuterRef("pk"), text=text)))

    return of_row, condition


def _classes(name: str, ends: Mapping[str, int]) -> Sides:
    """Classes beside each other: from the end of the one before up to their own."""

    def of_row(row: Mapping[str, Any]) -> Iterable[str]:
        value = row[name]
        return [] if value is None else [next(key for key, end in ends.items() if value <= end)]

    def condition(_kind: str, value: str) -> Q | None:
        if value not in ends:
            return None
        keys = list(ends)
        place = keys.index(value)
        found = Q(**{f"{name}__lte": ends[value]})
        return found & Q(**{f"{name}__gt": ends[keys[place - 1]]}) if place else found

    return of_row, condition


def _fits(row: Mapping[str, Any]) -> Iterable[str]:
    needed = row["memory_bytes"]
    return [] if needed is None else [key for key, room in MEMORY.items() if needed <= room]


def _fits_condition(_kind: str, value: str) -> Q | None:
    return Q(memory_bytes__lte=MEMORY[value]) if value in MEMORY else None


def day_of(moment: datetime) -> int:
    """Return the number of a moment's day, in UTC: “updated” is counted in whole days."""
    return moment.astimezone(UTC).date().toordinal()


def first_day(value: str) -> int | None:
    """Return the first day of the last day, week, month or year."""
    return day_of(timezone.now()) - UPDATED[value] + 1 if value in UPDATED else None


def updated_condition(value: str) -> Q | None:
    first = first_day(value)
    return None if first is None else Q(updated_at__gte=datetime.combine(date.fromordinal(first), time(), UTC))


def _yes(column: str) -> Sides:
    return (
        (lambda row: [YES] if row[column] not in (None, False) else []),
        (lambda _kind, value: Q(**{f"{column}__isnull": False}) & ~Q(**{column: False}) if value == YES else None),
    )


MODELS = frozenset({Repo.Kind.MODEL})
LICENCE_CLASSES = ("permissive", "copyleft", "restricted", "other", "unknown")
_LANGUAGE = {Repo.Kind.DATASET.value: "language:", Repo.Kind.SPACE.value: "language:"}
_PRECISION = dict.fromkeys(Repo.Kind.values, "precision:")
FACETS = (
    Facet("task", _("Task"), _column("task")),
    Facet("language", _("Language"), _labels("languages", _LANGUAGE)),
    Facet("license_class", _("Licence"), _column("license_class"), order=LICENCE_CLASSES),
    Facet("memory", _("Fits in memory of"), (_fits, _fits_condition), tuple(MEMORY), MODELS),
    Facet("size_class", _("Parameters"), _classes("parameters", PARAMETER_CLASSES), tuple(PARAMETER_CLASSES), MODELS),
    Facet("disk", _("Size on disk"), _classes("size", SIZE_CLASSES), tuple(SIZE_CLASSES)),
    Facet("format", _("Format"), _labels("formats", {}), kinds=MODELS),
    Facet("library", _("Library"), _column("library")),
    Facet("architecture", _("Architecture"), _column("architecture"), kinds=MODELS),
    Facet("precision", _("Number format"), _labels("precisions", _PRECISION), kinds=MODELS),
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
