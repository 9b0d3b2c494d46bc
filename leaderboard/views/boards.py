"""Boards: which small model is best, by how much, and how sure that is."""

import math

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from leaderboard import ranking
from leaderboard.models import Benchmark, Suite
from leaderboard.ranking import Row

TOP = 5
LISTED = 100


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All boards; where there is only one, that one."""
    suites = list(Suite.objects.all()[:LISTED])
    if len(suites) == 1:
        return redirect(suites[0])
    return render(request, "leaderboard/boards/index.html", {"suites": suites})


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The models of a suite, ranked, with the uncertainty of each place."""
    found = ranking.board_of(get_object_or_404(Suite, slug=slug))
    # A chart needs two points to say more than the table.
    points = [_point(row) for row in found.rows if row.model.parameters]
    context = {"board": found, "scale": _scale(found.rows), "points": points if len(points) > 1 else []}
    return render(request, "leaderboard/boards/board.html", context)


@require_safe
def top(request: HttpRequest) -> HttpResponse:
    """The first places of the first board, for the home page."""
    suite = Suite.objects.first()
    found = ranking.board_of(suite) if suite else None
    context = {
        "suite": suite,
        "rows": found.rows[:TOP] if found else [],
        "scale": _scale(found.rows[:TOP] if found else []),
        "has_benchmarks": Benchmark.objects.visible_to(request.user).exists(),
    }
    return render(request, "leaderboard/boards/_top.html", context)


def _scale(rows: list[Row]) -> tuple[float, float]:
    """Return where the bars begin and end: whole tens that hold every interval."""
    if not rows:
        return 0, 100
    lowest = min(row.low for row in rows)
    highest = max(row.high for row in rows)
    return min(0, math.floor(lowest / 10) * 10), max(math.ceil(highest / 10) * 10, 10)


def _point(row: Row) -> dict[str, object]:
    """Return what the chart draws of a model."""
    return {
        "name": row.model.full_name,
        "url": row.model.path,
        "x": row.model.parameters,
        "y": round(row.score, 2),
        "low": round(row.low, 2),
        "high": round(row.high, 2),
    }
