"""What attention a repository got: its downloads day by day and by kind of program, as pictures and tables show it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum
from django.utils import timezone

from models_hub.models import DownloadDay, Repo
from models_hub.models.downloads import APART, Client

DAYS = 90
SHORT = 30


@dataclass(frozen=True)
class Bar:
    """One day of the picture. `height` is its share of the highest, in hundredths; `x` counts the days."""

    x: int
    day: date
    count: int
    height: float

    @property
    def y(self) -> float:
        return 100 - self.height


@dataclass(frozen=True)
class Part:
    """How many downloads one kind of program made."""

    client: Client
    count: int
    share: float


@dataclass(frozen=True)
class Attention:
    """The downloads of a repository in the last days."""

    bars: list[Bar]
    total: int
    highest: int
    parts: list[Part]
    apart: list[Part]


def of(repo: Repo, *, days: int = DAYS) -> Attention:
    """Return what was counted in the last `days` days, today included, in one query."""
    today = timezone.now().date()
    first = today - timedelta(days=days - 1)
    rows = DownloadDay.objects.filter(repo=repo, day__gte=first).values_list("day", "client").annotate(n=Sum("count"))
    by_day: dict[date, int] = {}
    by_client: dict[str, int] = {}
    for day, client, count in rows:
        by_client[client] = by_client.get(client, 0) + count
        if client not in APART:
            by_day[day] = by_day.get(day, 0) + count
    highest, total = max(by_day.values(), default=0), sum(by_day.values())
    spread = (first + timedelta(days=number) for number in range(days))
    bars = [
        Bar(x=x, day=day, count=by_day.get(day, 0), height=100 * by_day.get(day, 0) / highest if highest else 0)
        for x, day in enumerate(spread)
    ]
    parts = [
        Part(Client(client), count, count / total if total else 0)
        for client, count in sorted(by_client.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Attention(
        bars=bars,
        total=total,
        highest=highest,
        parts=[part for part in parts if part.client not in APART],
        apart=[part for part in parts if part.client in APART],
    )
