"""Deleted repositories: listed for their owner, brought back, or removed for good."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from models_hub import accounting, trash
from portal.authentication import require_user
from portal.errors import Conflict, InvalidInput
from portal.models import Namespace

PAGE = 50


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """One's own deleted repositories."""
    return _listed(request, require_user(request).namespace)


@never_cache
@require_safe
def of_organization(request: HttpRequest, name: str) -> HttpResponse:
    """An organization's deleted repositories, for its admins."""
    return _listed(request, _namespace_of(request, name))


@require_POST
def restoration(request: HttpRequest, owner: str, deletion_id: int) -> HttpResponse:
    """Bring a repository back."""
    namespace = _namespace_of(request, owner)
    deletion = trash.find(namespace, deletion_id)
    try:
        repo = trash.restore(deletion, by=request.user, name=request.POST.get("name", "").strip())
    except (Conflict, InvalidInput) as error:
        messages.error(request, error.message)
        return redirect(_address(namespace))
    messages.success(request, _("%(name)s is back, as it was.") % {"name": repo.full_name})
    return redirect(repo.path)


@require_POST
def erasure(request: HttpRequest, owner: str, deletion_id: int) -> HttpResponse:
    """Remove a repository for good, whose name was typed."""
    namespace = _namespace_of(request, owner)
    deletion = trash.find(namespace, deletion_id)
    try:
        trash.erase(deletion, by=request.user, typed=request.POST.get("name", ""))
    except InvalidInput as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(name)s is gone for good.") % {"name": deletion.repo.full_name})
    return redirect(_address(namespace))


def _listed(request: HttpRequest, namespace: Namespace) -> HttpResponse:
    rows, before = trash.kept(namespace), request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    held = accounting.of_each(row.repo_id for row in found[:PAGE])
    shown = [{"row": row, "gone_at": trash.gone_at(row), "bytes": held[row.repo_id]} for row in found[:PAGE]]
    context = {
        "deletions": shown,
        "namespace": namespace,
        "days": settings.DELETED_REPOS_DAYS,
        "next_before": found[PAGE - 1].pk if len(found) > PAGE else None,
        "organization": namespace.organization,
        "may_administer": True,
    }
    template = "organization" if namespace.organization else "mine"
    return render(request, f"models_hub/trash/{template}.html", context)


def _namespace_of(request: HttpRequest, name: str) -> Namespace:
    """Return an owner's namespace to who may undo its deletions; whose it is not, learns nothing of them."""
    user = require_user(request)
    found = get_object_or_404(Namespace.objects.select_related("user", "organization").known_as(name))
    trash.require_undoer(user, found)
    return found


def _address(namespace: Namespace) -> str:
    return f"/organizations/{namespace.name}/deleted" if namespace.organization else "/settings/deleted"
