"""Boards: which small model is best, by how much, and how sure that is."""

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from leaderboard import (
    board_columns,
    board_lists,
    board_options,
    board_texts,
    permissions,
    ranking,
    reviewing,
    suites,
)
from leaderboard.board_views import SIZES, View
from leaderboard.forms import EndForm
from leaderboard.models import Benchmark, Suite
from leaderboard.ranking import Board, Row
from models_hub import browsing
from models_hub.models import Repo
from models_hub.searching.facets import LICENCE_CLASSES
from portal.authentication import require_user
from portal.errors import DomainError

TOP = 5
LISTED = 100


@dataclass(frozen=True)
class Band:
    """Rows that stand together: with `size`, all the models that cannot be told from the first of them."""

    rows: list[Row]
    size: int = 0
    is_even: bool = False


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All boards, those that still take models first; where there is only one, that one."""
    asked = board_lists.Asked.of(request.GET)
    found = board_lists.page_of(asked)
    if len(found.boards) == 1 and not request.GET:
        return redirect(found.boards[0].suite)
    tasks, languages = board_lists.choices()
    context = {
        "page": found,
        "asked": asked,
        "next_query": asked.query(after=found.next),
        "tasks": tasks,
        "languages": languages,
    }
    return render(request, "leaderboard/boards/index.html", context)


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The models of a suite as a view shows them, ranked, with the uncertainty of each place."""
    view = View.of(request.GET)
    suite = _suite(slug, view.version)
    found = ranking.board_of(suite, view)
    facts, benchmarks = board_columns.facts_of(found), board_columns.benchmarks_of(found)
    context = {
        "board": found,
        "view": view,
        "bands": _bands(found),
        "columns": facts,
        "benchmarks": benchmarks,
        "choices": board_columns.choices_of(found),
        "by_score": board_columns.sorted_by(view, "score", _("Score")),
        "by_name": board_columns.sorted_by(view, "name", _("Model")),
        "options": board_options.options_of(suite),
        "loosened": [] if found.rows or not view.filters else board_options.loosened(suite, view, found.places.machine),
        "contaminations": board_texts.CONTAMINATIONS,
        "license_classes": LICENCE_CLASSES,
        "sizes": SIZES,
        "width": 2 + len(facts) + len(benchmarks),
        "scale": _scale(found.rows),
        "versions": _versions(suite),
        "is_current": suite.version == suite.newest,
        "may_review": permissions.can_review(request.user),
        "may_change": permissions.can_review(request.user)
        or (request.user.is_authenticated and suite.proposed_by_id == request.user.pk),
    }
    return render(request, "leaderboard/boards/board.html", context)


@require_POST
def submissions(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the scores of all benchmarks of a board for a model."""
    user = require_user(request)
    suite = _suite(slug)
    owner, _slash, name = request.POST.get("model", "").strip()[:200].partition("/")
    try:
        model = browsing.visible_repo(user, kind=Repo.Kind.MODEL, namespace=owner, name=name)
        answers = suites.submit(suite, model, by=user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(suite)
    for answer in answers:
        if answer.error is not None:
            messages.error(request, f"{answer.benchmark.title}: {answer.error.message}")
    asked = sum(answer.is_new for answer in answers)
    if asked:
        text = ngettext("%(n)d evaluation was asked for.", "%(n)d evaluations were asked for.", asked) % {"n": asked}
        messages.success(request, text)
    elif not any(answer.error for answer in answers):
        messages.info(request, _("All its scores are there, or a worker is computing them."))
    return redirect(f"{model.path}/evaluations")


@require_POST
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """Set the last day of a board, or that it has none."""
    user = reviewing.require_moderator(require_user(request))
    suite = _suite(slug)
    form = EndForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give a day, or leave it empty."))
        return redirect(suite)
    try:
        suites.set_end(suite, by=user, ends_at=form.ends_at)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(suite)


@require_safe
def top(request: HttpRequest) -> HttpResponse:
    """The first places of the first board, for the home page."""
    suite = Suite.objects.current().open_first().first()
    found = ranking.board_of(suite, limit=TOP) if suite else None
    context = {
        "suite": suite,
        "rows": found.rows if found else [],
        "scale": _scale(found.rows if found else []),
        "has_benchmarks": Benchmark.objects.visible_to(request.user).exists(),
    }
    return render(request, "leaderboard/boards/_top.html", context)


def _suite(slug: str, version: str = "") -> Suite:
    rows = Suite.objects.approved().select_related("proposed_by")
    number = int(version) if version.isdecimal() and len(version) < 9 else F("newest")
    return get_object_or_404(rows, slug=slug, version=number)


def _versions(suite: Suite) -> list[Suite]:
    """Return the versions of a board where there are several, the newest first."""
    if suite.newest == 1:
        return []
    return list(Suite.objects.approved().filter(slug=suite.slug).order_by("-version")[:LISTED])


def _scale(rows: list[Row]) -> tuple[float, float]:
    """Return where the bars begin and end: whole tens that hold every interval."""
    if not rows:
        return 0, 100
    lowest = min(row.low for row in rows)
    highest = max(row.high for row in rows)
    return min(0, math.floor(lowest / 10) * 10), max(math.ceil(highest / 10) * 10, 10)


def _bands(board: Board) -> list[Band]:
    """Put the rows that cannot be told apart together, where they stand in the order of the board."""
    if board.view.order != "score":
        return [Band(board.rows)] if board.rows else []
    sizes = np.bincount(board.places.groups, minlength=1)
    groups = groupby(board.rows, key=lambda row: row.group)
    return [Band(list(rows), int(sizes[group]), group % 2 == 0) for group, rows in groups]
