"""Watching: the button in the head of a repository's pages, and where the page of what happened went."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from models_hub import watching
from models_hub.models import Repo
from models_hub.views.pages import repo_page


@vary_on_headers("HX-Request")
@repo_page
@require_POST
def watch(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Watch a repository, or no longer; htmx gets the button alone."""
    wished = request.POST.get("wish") == "watch"
    (watching.watch if wished else watching.unwatch)(repo, by=request.user)
    if request.headers.get("HX-Request") == "true":
        return render(request, "models_hub/repos/_watch.html", {"repo": repo, "watched": wished})
    return redirect(repo.path)


@require_safe
def news(_request: HttpRequest) -> HttpResponse:
    """What happened in what one watches was told here; the feed tells it now."""
    return redirect("/feed?show=things", permanent=True)
