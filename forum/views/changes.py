"""The files that a pull request changes."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from forum import discussing, reviewing
from models_hub import permissions, proposing
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond


@repo_page
@require_safe
def files(request: HttpRequest, repo: Repo, number: str) -> HttpResponse:
    """Show each file as it was where the proposal began, and as it would be."""
    permissions.require_download(request.user, repo)
    topic = discussing.find(repo, int(number), request.user)
    pull = proposing.find(repo, int(number))
    review = reviewing.look(pull)
    return respond(
        request,
        repo,
        "forum/discussions/files.html",
        tab="discussions",
        topic=topic,
        pull=pull,
        review=review,
        comparison=review.comparison(),
        commit=review.sides.head if review.sides else None,
        parent=review.sides.base if review.sides else None,
    )
