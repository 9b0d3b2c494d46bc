"""Programs that may publish without a stored secret: listed, trusted and removed, for a repository or for an owner."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from models_hub import publishing, trusting
from models_hub.models import Repo
from models_hub.publisher_forms import PublisherForm
from models_hub.snippets import publishers as snippets
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user
from portal.context import site_address
from portal.errors import DomainError, status_of
from portal.models import Namespace, User
from portal.oauth import publishers
from portal.oauth.resources import Resource


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def of_repo(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The publishers of one repository, and a form for one more."""
    user = publishing.require_manager(request.user, repo)
    resource = trusting.resource_of(repo)
    form, status = _sent(request, resource, user)
    if status == 302:
        return redirect(f"{repo.path}/settings/publishers")
    context = {
        "form": form,
        "publishers": publishers.of(resource),
        "base": f"{repo.path}/settings/publishers",
        "examples": snippets.of_repo(repo, site_address(request)),
    }
    return respond(request, repo, "models_hub/repos/publishers.html", tab="settings", status=status, **context)


@repo_page
@require_POST
def removal(request: HttpRequest, repo: Repo, publisher_id: int) -> HttpResponse:
    """Trust a publisher of a repository no longer."""
    user = publishing.require_manager(request.user, repo)
    _remove(request, trusting.resource_of(repo), publisher_id, user)
    return redirect(f"{repo.path}/settings/publishers")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """The publishers of all repositories of one's own."""
    return _of_owner(request, require_user(request).namespace)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def of_organization(request: HttpRequest, name: str) -> HttpResponse:
    """The publishers of all repositories of an organization, for its admins."""
    return _of_owner(request, _namespace_of(request, name))


@require_POST
def owner_removal(request: HttpRequest, owner: str, publisher_id: int) -> HttpResponse:
    """Trust a publisher of an owner no longer."""
    namespace = _namespace_of(request, owner)
    _remove(request, trusting.resource_of_owner(namespace), publisher_id, require_user(request))
    return redirect(_address(namespace))


def _of_owner(request: HttpRequest, namespace: Namespace) -> HttpResponse:
    user = trusting.require_owner(require_user(request), namespace)
    resource = trusting.resource_of_owner(namespace)
    form, status = _sent(request, resource, user)
    if status == 302:
        return redirect(_address(namespace))
    context = {
        "form": form,
        "publishers": publishers.of(resource),
        "base": f"/settings/publishers/{namespace.name}",
        "examples": snippets.of_owner(namespace, site_address(request)),
        "organization": namespace.organization,
        "may_administer": True,
    }
    template = "organization" if namespace.organization else "mine"
    return render(request, f"models_hub/publishers/{template}.html", context, status=status)


def _sent(request: HttpRequest, resource: Resource, user: User) -> tuple[PublisherForm, int]:
    """Trust what was sent, and return the form with the status of the answer."""
    form = PublisherForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return form, 400 if form.is_bound else 200
    try:
        publishers.add(resource, by=user, **form.wish(site=site_address(request)))
    except DomainError as error:
        form.add_error(form.place(str(error.data.get("key", ""))), error.message)
        return form, status_of(error)
    messages.success(request, _("The publisher is trusted."))
    return form, 302


def _remove(request: HttpRequest, resource: Resource, number: int, user: User) -> None:
    publishers.remove(publishers.find(resource, number), resource, by=user)
    messages.success(request, _("The publisher is trusted no longer; its tokens have ended."))


def _namespace_of(request: HttpRequest, name: str) -> Namespace:
    require_user(request)
    found = get_object_or_404(Namespace.objects.select_related("user", "organization").known_as(name))
    trusting.require_owner(request.user, found)
    return found


def _address(namespace: Namespace) -> str:
    return f"/organizations/{namespace.name}/publishers" if namespace.organization else "/settings/publishers"
