"""What differs between two revisions: files and lines, and what that means for card, configuration, weights, scores."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from models_hub import permissions, referencing, side_by_side
from models_hub.browsing import RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.side_by_side import DIRECT, SINCE, Asked
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user


@repo_page
@require_safe
def choose(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Choose two revisions."""
    permissions.require_download(request.user, repo)
    base, head = request.GET.get("base", "").strip(), request.GET.get("head", "").strip()
    if base and head and len(base) + len(head) < 600:
        dots = DIRECT if request.GET.get("how") == "direct" else SINCE
        return redirect(f"{repo.path}/compare/{Asked(base, head, dots).place}")
    return _page(request, repo, Asked(base or DEFAULT_BRANCH, head))


@repo_page
@require_safe
def compare(request: HttpRequest, repo: Repo, revisions: str) -> HttpResponse:
    """Compare `base...head`: what head has since the two parted; or `base..head`: all that differs."""
    permissions.require_download(request.user, repo)
    asked = side_by_side.read(revisions)
    try:
        parted = side_by_side.find(repo, asked)
    except RevisionNotFound as error:
        return _page(request, repo, asked, status=404, problem=error.message)
    found = side_by_side.differences(repo, parted)
    return _page(
        request,
        repo,
        asked,
        base=parted.base,
        commit=parted.head,
        parent=parted.old,
        distance=parted.distance,
        comparison=found.comparison,
        meaning=found.meaning,
        tensors=found.tensors,
        commits=found.commits,
        direct=Asked(asked.base, asked.head, DIRECT).place,
        reverse=Asked(asked.head, asked.base, asked.dots).place,
    )


@repo_page
@require_POST
def tensors(request: HttpRequest, repo: Repo, revisions: str) -> HttpResponse:
    """Have all bytes of the weights compared, which takes a job."""
    user = require_user(request)
    permissions.require_download(user, repo)
    asked = side_by_side.read(revisions)
    side_by_side.compare_weights(repo, asked, by=user)
    return redirect(f"{repo.path}/compare/{asked.place}#tensors")


def _page(request: HttpRequest, repo: Repo, asked: Asked, *, status: int = 200, **context: object) -> HttpResponse:
    return respond(
        request,
        repo,
        "models_hub/versions/compare.html",
        tab="versions",
        page="compare",
        status=status,
        asked=asked,
        branches=referencing.branches(repo),
        tags=referencing.tags(repo),
        **context,
    )
