"""A year of contributions, day by day, counted from rows that the reader may see and from no others.

Each app counts its own rows for a reader; sums over what is hidden from the reader are never made.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.utils import timezone
from django.utils.functional import Promise

from portal.models import Asker, Namespace

WEEKS = 53
# From how many contributions a day is coloured more strongly.
STEPS = (1, 3, 6, 12)

Counted = Iterable[tuple[str, date, int]]  # the kind, the day and how many
Source = Callable[[Namespace, Asker, datetime], Counted]
_sources: list[Source] = []
_labels: dict[str, str | Promise] = {}


@dataclass(frozen=True)
class Day:
    """One square of the picture; `count` is None for days to come."""

    day: date
    count: int | None

    @property
    def level(self) -> int:
        return sum((self.count or 0) >= step for step in STEPS)


@dataclass(frozen=True)
class Month:
    """One line of the table: `counts` are by kind, in the order of `Year.kinds`."""

    first: date
    counts: Sequence[int]
    total: int


@dataclass(frozen=True)
class Year:
    """All that the picture and the table show. `rows` has seven rows, the one of Mondays first."""

    rows: Sequence[Sequence[Day]]
    heads: Sequence[tuple[date, int]]  # each month with how many columns stand below it
    kinds: Sequence[str | Promise]
    months: Sequence[Month]
    total: int
    active_days: int
    best: Day | None


def provide(kinds: Mapping[str, str | Promise], source: Source) -> None:
    """Let `source` count contributions of these kinds, in few queries whatever their number."""
    _labels.update(kinds)
    if source not in _sources:
        _sources.append(source)


def year(namespace: Namespace, reader: Asker) -> Year:
    """Return the last 53 weeks of a person, or of what belongs to an organization, as this reader may see them."""
    today = timezone.localdate()
    start = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    since = timezone.make_aware(datetime.combine(start, datetime.min.time()))
    days: dict[date, Counter[str]] = defaultdict(Counter)
    for source in _sources:
        for kind, day, count in source(namespace, reader, since):
            days[day][kind] += count
    counts = {day: counter.total() for day, counter in days.items() if start <= day <= today and counter.total()}
    kinds = [kind for kind in _labels if any(days[day][kind] for day in counts)]
    best = max(counts, key=lambda day: (counts[day], day), default=None)
    return Year(
        rows=[
            [_day(start + timedelta(weeks=week, days=row), today, counts) for week in range(WEEKS)] for row in range(7)
        ],
        heads=_heads(start),
        kinds=[_labels[kind] for kind in kinds],
        months=_months(counts, days, kinds),
        total=sum(counts.values()),
        active_days=len(counts),
        best=Day(best, counts[best]) if best else None,
    )


def _day(day: date, today: date, counts: dict[date, int]) -> Day:
    return Day(day, None if day > today else counts.get(day, 0))


def _heads(start: date) -> list[tuple[date, int]]:
    """Return the months over the columns; a column belongs to the month of its Monday."""
    mondays = [start + timedelta(weeks=week) for week in range(WEEKS)]
    return [(month, len(list(columns))) for month, columns in groupby(mondays, key=lambda day: day.replace(day=1))]


def _months(counts: dict[date, int], days: dict[date, Counter[str]], kinds: Sequence[str]) -> list[Month]:
    """Return the months in which there is something, the latest first."""
    found: dict[date, Counter[str]] = defaultdict(Counter)
    for day in counts:
        found[day.replace(day=1)].update(days[day])
    return [
        Month(first, [counter[kind] for kind in kinds], counter.total())
        for first, counter in sorted(found.items(), reverse=True)
    ]
