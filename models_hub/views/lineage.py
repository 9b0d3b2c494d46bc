"""The tree of models that one was made from, and that were made from it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from models_hub import lineage
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond


@repo_page
@require_safe
def family(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Show parents and children, some levels up and down."""
    return respond(
        request,
        repo,
        "models_hub/repos/family.html",
        tab="card",
        family=lineage.family(repo, request.user),
        counts=lineage.count_children(repo, request.user),
        max_at_once=lineage.MAX_AT_ONCE,
    )
