"""Repositories come and go: created, shown or hidden, opened or gated, moved, deleted."""

from django.conf import settings as site_settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_hub import gating, moving, permissions, publishing, trash
from models_hub.adapting import ending
from models_hub.forms import DeletionForm, NewRepoForm, VisibilityForm, writable_namespaces
from models_hub.models import AccessRequest, Repo
from models_hub.settings_forms import GateForm, MoveForm
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user
from portal.errors import Conflict, DomainError, NotAllowed, status_of
from portal.models import User


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Name a new model, data set or Space and say who may see it."""
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
                sdk = publishing.STATIC if kind == Repo.Kind.SPACE else ""
                repo = publishing.create_repo(by=user, kind=kind, sdk=sdk, **form.cleaned_data)
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
    return _settings(request, repo)


@repo_page
@require_POST
def visibility(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Hide a repository, or show it to everybody."""
    _require_manager(request, repo)
    form = VisibilityForm(request.POST)
    if form.is_valid():
        publishing.set_private(repo, by=request.user, private=form.cleaned_data["private"])
        messages.success(request, _("It is private now.") if repo.private else _("It is public now."))
    return redirect(f"{repo.path}/settings")


@repo_page
@require_POST
def gate(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Say who may download."""
    form = GateForm(request.POST)
    if form.is_valid():
        gating.set_gate(repo, by=request.user, gate=form.cleaned_data["gated"])
        messages.success(request, _("It is gated now.") if repo.gated else _("It is open now."))
    return redirect(f"{repo.path}/settings")


@repo_page
@require_POST
def move(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Rename a repository, or give it to another owner."""
    user = _require_manager(request, repo)
    form, status = MoveForm(request.POST, namespaces=writable_namespaces(user)), 400
    if form.is_valid():
        try:
            moving.move_repo(repo, by=user, **form.cleaned_data)
        except DomainError as error:
            form.add_error("name", error.message)
            status = status_of(error)
        else:
            messages.success(request, _("It is %(name)s now; the old name leads here.") % {"name": repo.full_name})
            return redirect(repo.path if not permissions.can_manage(user, repo) else f"{repo.path}/settings")
    return _settings(request, repo, moving_form=form, status=status)


@repo_page
@require_POST
def deletion(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Delete a repository whose full name was typed."""
    _require_manager(request, repo)
    form = DeletionForm(request.POST, full_name=repo.full_name)
    if not form.is_valid():
        return _settings(request, repo, deletion_form=form, status=400)
    trash.delete(repo, by=request.user)
    messages.success(request, _deleted(repo))
    return redirect(f"/{repo.namespace.name}")


def _deleted(repo: Repo) -> str:
    if repo.deleted_at is None:
        return _("%(name)s is deleted.") % {"name": repo.full_name}
    days = site_settings.DELETED_REPOS_DAYS
    return ngettext(
        "%(name)s is deleted. For %(days)d day you can bring it back, from “Deleted repositories” in the settings.",
        "%(name)s is deleted. For %(days)d days you can bring it back, from “Deleted repositories” in the settings.",
        days,
    ) % {"name": repo.full_name, "days": days}


def _require_manager(request: HttpRequest, repo: Repo) -> User:
    user = require_user(request)
    if not permissions.can_manage(user, repo):
        raise NotAllowed(_("Only an admin of the owner may change or delete this repository."))
    return user


def _settings(
    request: HttpRequest,
    repo: Repo,
    *,
    moving_form: MoveForm | None = None,
    deletion_form: DeletionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = {"namespace": repo.namespace.name, "name": repo.name}
    user = require_user(request)
    namespaces = writable_namespaces(user)
    return respond(
        request,
        repo,
        "models_hub/repos/settings.html",
        tab="settings",
        days_kept=site_settings.DELETED_REPOS_DAYS,
        told=ending.told_by_showing(repo, user),
        status=status,
        form=deletion_form or DeletionForm(full_name=repo.full_name),
        moving_form=moving_form or MoveForm(initial=now, namespaces=namespaces),
        pending=repo.access_requests.filter(status=AccessRequest.Status.PENDING).count() if repo.gated else 0,
    )
