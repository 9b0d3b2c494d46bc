"""Benchmarks: what is asked, on which rows, how it is scored, and what models reached."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from leaderboard import permissions
from leaderboard.detecting import minimum_detectable_difference
from leaderboard.metric_names import PLAIN, POOLED
from leaderboard.models import Benchmark, Evaluation, Overlap, Suite
from leaderboard.normalising import floor_of
from leaderboard.task_kinds import lower_is_better

LISTED = 100
LISTED_OVERLAPS = 20


@never_cache
@require_safe
def benchmarks(request: HttpRequest) -> HttpResponse:
    """The newest version of each benchmark that lists offer the reader."""
    rows = Benchmark.objects.listed_for(request.user).current().latest()[:LISTED]
    return render(request, "leaderboard/benchmarks/list.html", {"benchmarks": rows})


@never_cache
@require_safe
def benchmark(request: HttpRequest, benchmark_id: int) -> HttpResponse:
    visible = Benchmark.objects.visible_to(request.user).latest()
    reviewed = visible.select_related("dataset__namespace", "registered_by", "decided_by")
    row = get_object_or_404(reviewed, pk=benchmark_id)
    results = list(_results(request, row))
    best = results[0].value if results else None
    n = results[0].n if results else None
    context = {
        "benchmark": row,
        "results": results,
        "floor": floor_of(results[0], row.primary_metric) if results else None,
        "n": n,
        "difference": _difference(row, n, best),
        "overlaps": _overlaps(request, row),
        "may_compare": permissions.can_compare(request.user, row),
        "versions": visible.filter(dataset=row.dataset, path=row.path).exclude(pk=row.pk),
        "suites": Suite.objects.current().filter(benchmarks=row) if not row.dataset.private else [],
        "may_review": permissions.can_review(request.user),
    }
    return render(request, "leaderboard/benchmarks/benchmark.html", context)


def _results(request: HttpRequest, benchmark: Benchmark) -> list[Evaluation]:
    """Return what the reader may see, the best first."""
    rows = Evaluation.objects.visible_to(request.user).finished().filter(benchmark=benchmark).latest()
    heavy = ("metrics", "per_class", "confusion", "details", "report", "provenance", "versions")
    order = "value" if lower_is_better(benchmark.primary_metric) else "-value"
    return list(rows.defer(*heavy).order_by(order, "id")[:LISTED])


def _overlaps(request: HttpRequest, benchmark: Benchmark) -> list[Overlap]:
    """Return the newest comparisons with data sets that the reader may see."""
    rows = Overlap.objects.visible_to(request.user).filter(benchmark=benchmark)
    return list(rows.select_related("dataset__namespace", "job").order_by("-id")[:LISTED_OVERLAPS])


def _difference(benchmark: Benchmark, n: int | None, best: float | None) -> float | None:
    """Return the smallest difference that shows, for metrics that are a share of right answers."""
    if not n or best is None or benchmark.primary_metric in PLAIN | POOLED:
        return None
    return minimum_detectable_difference(n, best)
