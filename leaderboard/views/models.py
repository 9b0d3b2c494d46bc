"""What a model's pages show of its scores: a summary beside the card, and a page of all of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from leaderboard import model_files, permissions, submitting
from leaderboard.forms import EvaluationForm
from leaderboard.models import Benchmark, BenchmarkQuerySet, Evaluation
from leaderboard.submitting import NotEvaluable
from models_hub import browsing
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.views.pages import repo_page, respond
from portal import waiting
from portal.authentication import require_user
from portal.errors import DomainError, status_of

SHOWN = 50
SUMMARY = 5


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def evaluations(request: HttpRequest, repo: Repo) -> HttpResponse:
    """A model's evaluations, whatever became of them, and the form that asks for another one."""
    fitting, obstacle = _fitting_kinds(repo)
    choices = _fitting(request, fitting)
    form = EvaluationForm(request.POST or None, benchmarks=choices)
    status = 200
    if request.method == "POST":
        require_user(request)
        status = 400
        if form.is_valid():
            try:
                asked, _is_new = submitting.submit(repo, form.cleaned_data["benchmark"], by=request.user)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect(asked)
    rows = list(Evaluation.objects.visible_to(request.user).filter(model=repo).latest()[:SHOWN])
    return respond(
        request,
        repo,
        "leaderboard/models/evaluations.html",
        tab="evaluations",
        status=status,
        evaluations=list(
            zip(rows, waiting.explanations(None if row.is_finished else row.job for row in rows), strict=True)
        ),
        form=form,
        has_benchmarks=choices.exists(),
        may_evaluate=permissions.can_evaluate(request.user, repo),
        obstacle=obstacle,
    )


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
        may_evaluate=permissions.can_evaluate(request.user, repo),
    )


def _fitting(request: HttpRequest, kinds: list[str]) -> BenchmarkQuerySet:
    """Return the benchmarks to choose from; `submit` has the last word on whether the model fits."""
    rows = Benchmark.objects.visible_to(request.user).current().latest()
    return rows.filter(task__in=kinds) if kinds else rows


def _fitting_kinds(repo: Repo) -> tuple[list[str], str]:
    """Return the kinds of task that the model fits, and why it cannot be evaluated as it is where there are none."""
    commit = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    try:
        return submitting.fitting_kinds(repo, commit, model_files.entries_of(repo, commit)), ""
    except NotEvaluable as error:
        return [], error.message
