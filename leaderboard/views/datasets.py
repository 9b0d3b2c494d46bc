"""What a data set's page shows of its benchmarks, and the step that makes one of its eval.yaml."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from leaderboard import benchmarks, permissions
from leaderboard.benchmarks import DEFINITION_PATH
from leaderboard.models import Benchmark
from models_hub import browsing
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.views.pages import repo_page, respond
from portal.errors import Conflict, InvalidInput, NotFound


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def benchmarks_of(request: HttpRequest, repo: Repo) -> HttpResponse:
    """GET: the benchmarks of a data set. POST: make one of its eval.yaml."""
    if request.method == "POST":
        return _register(request, repo)
    commit = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    return respond(
        request,
        repo,
        "leaderboard/datasets/_benchmarks.html",
        tab="card",
        benchmarks=Benchmark.objects.filter(dataset=repo).order_by("-id")[:20],
        has_definition=bool(browsing.find_many(repo, commit, [DEFINITION_PATH])),
        may_register=permissions.can_register(request.user, repo),
    )


def _register(request: HttpRequest, repo: Repo) -> HttpResponse:
    try:
        benchmark, is_new = benchmarks.register(repo, by=request.user)
    except (InvalidInput, Conflict, NotFound) as error:
        messages.error(request, error.message)
        return redirect(repo.path)
    new, known = _("It is a benchmark now: models can be evaluated on it."), _("This version is registered already.")
    words = new if is_new else known
    if benchmark.is_proposed:
        words = " ".join((words, _("Moderators review it before lists offer it to others.")))
    messages.success(request, words)
    return redirect(benchmark)
