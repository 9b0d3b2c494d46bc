"""Scores that are written to their model's repository: one at the press of a button, all by a standing order."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from leaderboard import results_files
from leaderboard.models import Evaluation
from models_hub.models import Repo
from models_hub.views.pages import repo_page
from portal.authentication import require_user
from portal.context import site_address
from portal.errors import DomainError


@require_POST
def results_file(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """Commit a score to its model's repository, or open a pull request with it."""
    user = require_user(request)
    evaluation = get_object_or_404(Evaluation.objects.visible_to(user).latest(), pk=evaluation_id)
    as_pull_request = request.POST.get("how") == "pull-request"
    try:
        written = results_files.write(
            evaluation, by=user, endpoint=site_address(request), as_pull_request=as_pull_request
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(f"{evaluation.get_absolute_url()}#results-file")
    model = evaluation.model
    if written.pull is not None:
        return redirect(f"{model.path}/discussions/{written.pull.number}")
    new, known = _("The score is in the repository now."), _("The repository holds this score already.")
    said = new if written.is_new else known
    messages.success(request, said)
    return redirect(f"{model.path}/blob/main/{results_files.path_of(evaluation)}")


@repo_page
@require_POST
def results_order(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Have each new score of a model written to it by itself, or no longer."""
    results_files.keep_written(repo, by=require_user(request), wanted=request.POST.get("keep") == "1")
    return redirect(f"{repo.path}/evaluations")
