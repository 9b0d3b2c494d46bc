"""What a model's pages show of its scores: a summary beside the card, and a page of all of them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leaderboard import (
    adapters,
    allowance,
    bulk,
    costs,
    fitting,
    model_files,
    on_fronts,
    permissions,
    remeasuring,
    stated,
)
from leaderboard.bulk import Answer
from leaderboard.forms import EvaluationForm
from leaderboard.models import Benchmark, BenchmarkQuerySet, Evaluation, ImportedResult, ResultsOrder, StandingOrder
from leaderboard.not_evaluable import NotEvaluable
from models_hub import browsing
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.views.pages import repo_page, respond
from portal import waiting
from portal.authentication import require_user
from portal.errors import status_of
from portal.models import Asker, User

SHOWN = 50
MOST_CHOICES = 200
SUMMARY = 5


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def evaluations(request: HttpRequest, repo: Repo) -> HttpResponse:
    """A model's evaluations, whatever became of them, and the form that asks for another one."""
    fitting, obstacle = _fitting_kinds(repo, request.user)
    choices = _fitting(request, fitting)
    may_evaluate = permissions.can_evaluate(request.user, repo)
    spans = costs.of_benchmarks(choices[:MOST_CHOICES]) if may_evaluate else {}
    rows = list(Evaluation.objects.visible_to(request.user).filter(model=repo).latest()[:SHOWN])
    measured = {row.benchmark_id for row in rows if not row.is_outdated}
    first = list(choices.values_list("pk", flat=True)[:2])
    # Where there is nothing to choose, the only one is chosen.
    chosen = first if len(first) == 1 and first[0] not in measured else []
    form = EvaluationForm(request.POST or None, benchmarks=choices, spans=spans, initial={"benchmark": chosen})
    status = 200
    if request.method == "POST":
        require_user(request)
        status = 400
        if form.is_valid():
            answers = bulk.submit_all([repo], form.cleaned_data["benchmark"], by=request.user)
            refused = [answer for answer in answers if answer.error]
            if not refused:
                return _asked(request, repo, answers)
            for answer in refused:
                assert answer.error is not None
                named = f"{answer.benchmark.title}: " if len(answers) > 1 else ""
                form.add_error(None, f"{named}{answer.error.message}")
                status = status_of(answer.error)
    return respond(
        request,
        repo,
        "leaderboard/models/evaluations.html",
        tab="evaluations",
        status=status,
        evaluations=list(
            zip(rows, waiting.explanations(None if row.is_finished else row.job for row in rows), strict=True)
        ),
        measured=measured,
        form=form,
        has_benchmarks=bool(first),
        may_evaluate=may_evaluate,
        may_vote=not (repo.private or repo.gated),
        allowance=allowance.of(request.user) if isinstance(request.user, User) else None,
        standing_order=StandingOrder.objects.select_related("asked_by").filter(model=repo).first(),
        results_order=ResultsOrder.objects.select_related("asked_by").filter(model=repo).first(),
        stated=stated.of(repo, request.user),
        imported=_imported(request, repo),
        may_import=permissions.can_import(request.user, repo),
        obstacle=obstacle,
    )


def _asked(request: HttpRequest, repo: Repo, answers: list[Answer]) -> HttpResponse:
    """Lead to the evaluation that was asked for, or say how many were."""
    if len(answers) == 1 and answers[0].evaluation is not None:
        return redirect(answers[0].evaluation)
    new = sum(answer.is_new for answer in answers)
    started = ngettext("%(n)d evaluation was asked for.", "%(n)d evaluations were asked for.", new) % {"n": new}
    known = ngettext("%(n)d was there already.", "%(n)d were there already.", len(answers) - new)
    rest = known % {"n": len(answers) - new} if new < len(answers) else ""
    messages.success(request, f"{started} {rest}".strip())
    return redirect(f"{repo.path}/evaluations")


@repo_page
@require_POST
def standing_order(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Have each new version of a model measured by itself, or no longer."""
    remeasuring.follow(repo, by=require_user(request), following=request.POST.get("follow") == "1")
    return redirect(f"{repo.path}/evaluations")


@repo_page
@require_safe
def summary(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The newest score of each benchmark, for the model's first page."""
    found: dict[int, Evaluation] = {}
    for row in Evaluation.objects.visible_to(request.user).finished().filter(model=repo).latest()[:SHOWN]:
        found.setdefault(row.benchmark_id, row)
    running = Evaluation.objects.visible_to(request.user).unfinished().filter(model=repo).count()
    return respond(
        request,
        repo,
        "leaderboard/models/_summary.html",
        tab="card",
        evaluations=list(found.values())[:SUMMARY],
        running=running,
        stated=len(stated.of(repo, request.user)),
        may_evaluate=permissions.can_evaluate(request.user, repo),
        fronts=on_fronts.boards_of(repo),
    )


def _imported(request: HttpRequest, repo: Repo) -> list[ImportedResult]:
    rows = ImportedResult.objects.visible_to(request.user).filter(model=repo)
    return list(rows.select_related("model__namespace", "suite").order_by("-id")[:SHOWN])


def _fitting(request: HttpRequest, kinds: list[str]) -> BenchmarkQuerySet:
    """Return the benchmarks to choose from; `submit` has the last word on whether the model fits."""
    rows = Benchmark.objects.listed_for(request.user).current().latest()
    return rows.filter(task__in=kinds) if kinds else rows


def _fitting_kinds(repo: Repo, reader: Asker) -> tuple[list[str], str]:
    """Return the kinds of task that the model fits, and why it cannot be evaluated as it is where there are none."""
    commit = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    try:
        entries = model_files.entries_of(repo, commit)
        return fitting.fitting_kinds(repo, commit, entries, adapters.base_of(repo, entries, reader)), ""
    except NotEvaluable as error:
        return [], error.message
