"""Where the bytes are: pages of an owner's storage and of one repository's, and making room."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from models_hub import accounting, permissions, publishing, reaching, reclaiming
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user
from portal.errors import Conflict, NotAllowed
from portal.models import Namespace, Organization
from portal.permissions import can_administer
from portal.templatetags.ui import bytesize


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Where one's own bytes are."""
    user = require_user(request)
    storage = accounting.of_owner(user.namespace, cursor=request.GET.get("after", ""))
    return render(request, "models_hub/storage/mine.html", {"storage": storage})


@never_cache
@require_safe
def of_organization(request: HttpRequest, name: str) -> HttpResponse:
    """Where an organization's bytes are, for its members."""
    user = require_user(request)
    found = Organization.objects.select_related("namespace")
    organization = get_object_or_404(found, namespace__in=Namespace.objects.known_as(name))
    if not accounting.may_see(user, organization.namespace):
        raise NotAllowed(_("Only members of this organization may see this page."))
    storage = accounting.of_owner(organization.namespace, cursor=request.GET.get("after", ""))
    context = {
        "storage": storage,
        "organization": organization,
        "may_administer": can_administer(user, organization.namespace),
    }
    return render(request, "models_hub/storage/organization.html", context)


@repo_page
@require_safe
def of_repo(request: HttpRequest, repo: Repo) -> HttpResponse:
    """How the bytes of a repository are divided, and what could go."""
    publishing.require_writer(request.user, repo)
    reached = reaching.walk(repo)
    return respond(
        request,
        repo,
        "models_hub/storage/repo.html",
        tab="settings" if permissions.can_manage(request.user, repo) else "files",
        storage=accounting.of_repo(repo, reached),
        reclaimable=reclaiming.preview(repo, reached),
        is_whole=reached.is_whole,
    )


@repo_page
@require_POST
def reclamation(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Remove exactly what the page showed."""
    try:
        freed = reclaiming.reclaim(repo, by=request.user, digest=request.POST.get("digest", ""))
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(size)s are free again.") % {"size": bytesize(freed)})
    return redirect(f"{repo.path}/storage")
