"""Watching: the button in the head of a repository's pages, and the page of what happened."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from models_hub import watching
from models_hub.models import Repo
from models_hub.views.pages import repo_page
from portal.authentication import require_user


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


@never_cache
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """What happened in the repositories that one watches."""
    user, before = require_user(request), request.GET.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) < 19
    page = watching.news(user, before=int(before) if known else None)
    return render(request, "models_hub/watching.html", {"page": page, "watched": watching.watched(user)})
