"""What all pages of one repository share: it is found, or is 404; its head shows who may do what."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from models_hub import gating, liking, mirroring, permissions, watching
from models_hub.addressing import moved_address
from models_hub.browsing import RepoMoved
from models_hub.models import Mirror, Repo
from models_hub.permissions import GatedRepo
from models_hub.settings_forms import AccessForm

View = Callable[..., HttpResponseBase]


def repo_page(view: View) -> View:
    """Give a view the repository that its address names, spelled as it really is."""

    @never_cache
    @wraps(view)
    def found(request: HttpRequest, kind: str, namespace: str, name: str, **rest: Any) -> HttpResponseBase:
        try:
            repo = mirroring.visible_repo(request.user, kind=kind, namespace=namespace, name=name)
        except RepoMoved as moved:
            address = moved_address(request.get_full_path(), moved)
            return redirect(address or moved.repo.path, preserve_request=True)
        if repo.full_name != f"{namespace}/{name}" and request.method in {"GET", "HEAD"}:
            return redirect(request.get_full_path().replace(f"/{namespace}/{name}", f"/{repo.full_name}", 1))
        if permissions.is_tombstone(repo) and not permissions.may_open_tombstone(request.user, repo):
            return _tombstone(request, repo)
        try:
            return view(request, repo, **rest)
        except GatedRepo:  # the repository is no secret, only its files are
            gate = gate_of(request, repo)
            return respond(request, repo, "models_hub/repos/gate.html", tab="files", status=403, gate=gate)

    return found


def _tombstone(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Say that moderation has disabled it, why and since when, and nothing of what it held."""
    found = permissions.restriction_of(repo)
    status = 451 if found is not None and found.is_for_law else 403
    context = {"repo": repo, "restriction": found, "may_manage": permissions.can_manage(request.user, repo)}
    return render(request, "models_hub/repos/tombstone.html", context, status=status)


def respond(
    request: HttpRequest, repo: Repo, template: str, *, tab: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of a repository."""
    return render(request, template, {**head(request, repo, tab), **context}, status=status)


def gate_of(request: HttpRequest, repo: Repo, form: AccessForm | None = None) -> Mapping[str, Any] | None:
    """Return what the box that asks for access reads, None for whoever may download."""
    if permissions.can_download(request.user, repo):
        return None
    return {
        "texts": gating.texts_of(repo),
        "request": gating.request_of(request.user, repo),
        "form": form or AccessForm(asked=gating.fields_of(repo)),
    }


def head(request: HttpRequest, repo: Repo, tab: str) -> Mapping[str, Any]:
    """Return what the head of the page reads."""
    return {
        "repo": repo,
        "mirror": Mirror.objects.filter(repo=repo).first() if repo.namespace.is_mirror else None,
        "tab": tab,
        "restriction": permissions.restriction_of(repo),
        "liked": liking.has_liked(request.user, repo),
        "watched": watching.is_watched(repo, by=request.user),
        "may_write": permissions.can_write(request.user, repo),
        "may_manage": permissions.can_manage(request.user, repo),
    }
