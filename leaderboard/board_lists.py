"""All boards, by the tasks and languages of their benchmarks; each with who leads and what came last."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Max, OuterRef, Q, Subquery
from django.utils import timezone

from leaderboard.board_views import SIZES, Params
from leaderboard.models import Benchmark, BoardRow, Suite, SuiteEntry, SuiteQuerySet

PAGE = 24
MAX_TEXT = 60


@dataclass(frozen=True)
class Asked:
    """Which boards a reader looks for, and where the page begins."""

    task: str = ""
    language: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def of(cls, params: Params) -> "Asked":
        given = {name: params.get(name, "").strip()[:MAX_TEXT] for name in ("task", "language", "q", "after")}
        return cls(**{name: text for name, text in given.items() if "\x00" not in text})

    @property
    def narrows(self) -> bool:
        return bool(self.task or self.language or self.q)

    def query(self, **changes: str) -> str:
        """Write the query string of this, or of what differs from it, without a page unless one is given."""
        asked = replace(self, **{"after": "", **changes})
        return urlencode({name: value for name, value in vars(asked).items() if value})


@dataclass(frozen=True)
class Listed:
    """A board in the list of all."""

    suite: Suite
    benchmarks: list[Benchmark]
    models: int
    by_size: dict[str, int]  # how many of them are at most so large
    leader: BoardRow | None
    newest: datetime | None

    @property
    def tasks(self) -> list[tuple[str, str]]:
        """The kinds of its benchmarks, and what readers call them."""
        return [(task, task_name(task)) for task in dict.fromkeys(benchmark.task for benchmark in self.benchmarks)]

    @property
    def languages(self) -> list[str]:
        return sorted({str(code) for benchmark in self.benchmarks for code in benchmark.dataset.languages})


@dataclass(frozen=True)
class Page:
    """Boards, and where the next page begins."""

    boards: list[Listed]
    next: str


def page_of(asked: Asked) -> Page:
    """Return a page of boards, those that still take models first; a constant number of queries."""
    suites = list(_after(_found(asked), asked.after)[: PAGE + 1])
    shown = suites[:PAGE]
    benchmarks = _benchmarks(shown)
    public = BoardRow.objects.filter(suite__in=shown).public()
    counts: dict[str, Any] = {
        f"at_most_{name}": Count("pk", filter=Q(model__parameters__lte=end)) for name, end in SIZES.items()
    }
    ranked = public.filter(score__isnull=False).order_by().values("suite")
    annotated: Any = ranked.annotate(models=Count("pk"), newest=Max("finished_at"), **counts)
    counted: dict[int, dict[str, Any]] = {row["suite"]: row for row in annotated}
    leaders = _leaders(shown)
    return Page(
        [
            Listed(
                suite=suite,
                benchmarks=benchmarks[suite.pk],
                models=counted[suite.pk]["models"] if suite.pk in counted else 0,
                by_size={name: counted[suite.pk][f"at_most_{name}"] for name in SIZES} if suite.pk in counted else {},
                leader=leaders.get(suite.pk),
                newest=counted[suite.pk]["newest"] if suite.pk in counted else None,
            )
            for suite in shown
        ],
        f"{int(shown[-1].has_ended)}~{shown[-1].pk}" if len(suites) > PAGE else "",
    )


def task_name(task: str) -> str:
    """Return what readers call a kind of task."""
    label = str(Benchmark.Task(task).label)
    return label[:1].upper() + label[1:]


def choices() -> tuple[list[tuple[str, str]], list[str]]:
    """Return the tasks with their names, and the languages, that boards have."""
    entries = SuiteEntry.objects.filter(suite__in=Suite.objects.current(), benchmark__dataset__private=False)
    rows = entries.order_by().values_list("benchmark__task", "benchmark__dataset__languages").distinct()
    found = list(rows)
    languages = sorted({str(code) for _task, codes in found for code in codes})
    return sorted((task, task_name(task)) for task in {task for task, _codes in found}), languages


def _found(asked: Asked) -> SuiteQuerySet:
    suites = Suite.objects.current()
    public = SuiteEntry.objects.filter(benchmark__dataset__private=False)
    if asked.task:
        suites = suites.filter(pk__in=public.filter(benchmark__task=asked.task).values("suite"))
    if asked.language:
        having = public.filter(benchmark__dataset__languages__icontains=f'"{asked.language}"')
        suites = suites.filter(pk__in=having.values("suite"))
    for word in asked.q.lower().split():
        suites = suites.filter(Q(title__icontains=word) | Q(title_zh__icontains=word) | Q(slug__icontains=word))
    return suites.open_first()


def _after(suites: SuiteQuerySet, cursor: str) -> SuiteQuerySet:
    ended, _tilde, pk = cursor.partition("~")
    if ended not in {"0", "1"} or not pk.isdecimal() or len(pk) > 18:
        return suites
    has_ended = Q(ends_at__lte=timezone.now())
    later = has_ended & Q(pk__gt=int(pk)) if ended == "1" else has_ended | Q(pk__gt=int(pk))
    return suites.filter(later)


def _benchmarks(suites: Sequence[Suite]) -> dict[int, list[Benchmark]]:
    entries = SuiteEntry.objects.filter(suite__in=suites, benchmark__dataset__private=False)
    found: dict[int, list[Benchmark]] = defaultdict(list)
    for entry in entries.select_related("benchmark__dataset"):
        found[entry.suite_id].append(entry.benchmark)
    return found


def _leaders(suites: Sequence[Suite]) -> dict[int, BoardRow]:
    best = BoardRow.objects.filter(suite=OuterRef("pk")).public().ranked().values("pk")[:1]
    firsts = Suite.objects.filter(pk__in=[suite.pk for suite in suites]).annotate(first=Subquery(best))
    rows = BoardRow.objects.filter(pk__in=firsts.filter(first__isnull=False).values("first"))
    found = rows.select_related("model__namespace").defer("cells", "drawn")
    return {row.suite_id: row for row in found.order_by(F("pk"))}
