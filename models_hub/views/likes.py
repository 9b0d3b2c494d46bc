"""The heart in the head of a repository's pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers

from models_hub import liking
from models_hub.models import Repo
from models_hub.views.pages import repo_page


@vary_on_headers("HX-Request")
@repo_page
@require_POST
def like(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Like a repository, or take the like back; htmx gets the button alone."""
    liked = request.POST.get("wish") == "like"
    (liking.like if liked else liking.unlike)(repo, by=request.user)
    if request.headers.get("HX-Request") == "true":
        return render(request, "models_hub/repos/_like.html", {"repo": repo, "liked": liked})
    return redirect(repo.path)
