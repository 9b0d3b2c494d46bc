"""Repositories that come from elsewhere or go there: imports, bundles, mirrors."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_hub import downloading, importing, mirroring, permissions, unbundling
from models_hub.arrival_forms import BundleForm, ImportForm
from models_hub.forms import writable_namespaces
from models_hub.models import Repo
from models_hub.responses import bundle_response
from models_hub.upstream.hub import allowed_hubs
from models_hub.views.pages import repo_page
from portal.authentication import address_of, require_user
from portal.errors import DomainError, NotAllowed, status_of
from portal.models import User


@require_http_methods(["GET", "HEAD", "POST"])
def new_import(request: HttpRequest) -> HttpResponse:
    """Name a repository of another hub and where it is to go; the copy itself is a job."""
    user = require_user(request)
    form = _import_form(request, user)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                origin = importing.request(by=user, **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect("job", job_id=origin.job_id)
    return _page(request, user, imports=form, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def new_bundle(request: HttpRequest) -> HttpResponse:
    """Make a repository of a bundle from the reader's machine."""
    user = require_user(request)
    if request.method != "POST":
        return redirect("new_import")
    form = BundleForm(request.POST, request.FILES, namespaces=writable_namespaces(user))
    status = 400
    if form.is_valid():
        values = form.cleaned_data
        file: UploadedFile[Any] = values["file"]
        try:
            repo = unbundling.receive(
                file.chunks(), by=user, namespace=values["namespace"], name=values["name"], private=values["private"]
            )
        except DomainError as error:
            form.add_error(None, error.message)
            status = status_of(error)
        else:
            return redirect(repo.path)
    return _page(request, user, bundle=form, status=status)


@repo_page
@require_safe
def bundle(request: HttpRequest, repo: Repo) -> HttpResponseBase:
    """Download a repository as one file."""
    permissions.require_download(request.user, repo)
    agent = request.headers.get("User-Agent", "")
    only_head = request.method == "HEAD"
    downloading.note(repo, by=request.user, address=address_of(request), agent=agent, only_head=only_head)
    return bundle_response(repo)


@repo_page
@require_POST
def comparison(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Compare a mirror with its upstream hub at once."""
    require_user(request)
    try:
        mirroring.refresh_now(repo, by=request.user)
        messages.success(request, _("This copy is the same as its original now."))
    except NotAllowed:
        raise
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(repo.path)


def _page(
    request: HttpRequest, user: User, *, imports: ImportForm | None = None, bundle: BundleForm | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "hubs": allowed_hubs(),
        "imports": imports or _import_form(request, user),
        "bundle": bundle or BundleForm(namespaces=writable_namespaces(user), initial={"namespace": user.username}),
        "max_bytes": settings.MAX_COMMIT_BODY_BYTES,
    }
    return render(request, "models_hub/repos/import.html", context, status=status)


def _import_form(request: HttpRequest, user: User) -> ImportForm:
    is_meant = request.method == "POST" and request.resolver_match and request.resolver_match.url_name == "new_import"
    initial = {"namespace": user.username} | {
        name: request.GET[name][:200] for name in ("kind", "source", "namespace", "name") if request.GET.get(name)
    }
    data = request.POST if is_meant else None
    return ImportForm(data, namespaces=writable_namespaces(user), hubs=allowed_hubs(), initial=initial)
