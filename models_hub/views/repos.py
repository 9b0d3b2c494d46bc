"""Repositories come and go: created, shown or hidden, deleted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_hub import permissions, publishing
from models_hub.forms import DeletionForm, NewRepoForm, VisibilityForm, writable_namespaces
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user
from portal.errors import Conflict, DomainError, NotAllowed, status_of


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Name a new model or data set and say who may see it."""
    user = require_user(request)
    namespaces = writable_namespaces(user)
    form = NewRepoForm(
        request.POST or None, namespaces=namespaces, initial={"namespace": request.GET.get("owner", user.username)}
    )
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                repo = publishing.create_repo(by=user, kind=kind, **form.cleaned_data)
            except Conflict as error:
                form.add_error("name", _("You have one of this name already; choose another name."))
                status = status_of(error)
            except DomainError as error:
                form.add_error("name", error.message)
                status = status_of(error)
            else:
                return redirect(repo.path)
    return render(request, "models_hub/repos/new.html", {"form": form, "kind": kind}, status=status)


@repo_page
@require_safe
def settings(request: HttpRequest, repo: Repo) -> HttpResponse:
    _require_manager(request, repo)
    return _settings(request, repo, DeletionForm(full_name=repo.full_name))


@repo_page
@require_POST
def visibility(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Hide a repository, or show it to everybody."""
    form = VisibilityForm(request.POST)
    if form.is_valid():
        publishing.set_private(repo, by=request.user, private=form.cleaned_data["private"])
        messages.success(request, _("It is private now.") if repo.private else _("It is public now."))
    return redirect(f"{repo.path}/settings")


@repo_page
@require_POST
def deletion(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Delete a repository whose full name was typed."""
    _require_manager(request, repo)
    form = DeletionForm(request.POST, full_name=repo.full_name)
    if not form.is_valid():
        return _settings(request, repo, form, status=400)
    publishing.delete_repo(repo, by=request.user)
    messages.success(request, _("%(name)s is deleted.") % {"name": repo.full_name})
    return redirect(f"/{repo.namespace.name}")


def _require_manager(request: HttpRequest, repo: Repo) -> None:
    require_user(request)
    if not permissions.can_manage(request.user, repo):
        raise NotAllowed(_("Only an admin of the owner may change or delete this repository."))


def _settings(request: HttpRequest, repo: Repo, form: DeletionForm, status: int = 200) -> HttpResponse:
    return respond(request, repo, "models_hub/repos/settings.html", tab="settings", status=status, form=form)
