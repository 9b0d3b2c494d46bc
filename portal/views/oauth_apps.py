"""A person's apps: those that were let in, and those that the person has registered."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from portal.authentication import require_user
from portal.errors import DomainError
from portal.forms import OAuthAppForm
from portal.models import Authorization, OAuthApp, User
from portal.oauth import granting, registering


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def apps(request: HttpRequest) -> HttpResponse:
    """List one's apps and register one. The answer to that is the only page that ever holds the secret."""
    user = require_user(request)
    form = OAuthAppForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, user, form, status=400 if form.is_bound else 200)
    try:
        app, secret = registering.register(by=user, **form.cleaned_data)
    except DomainError as error:
        form.add_error("redirect_uris", error.message)
        return _page(request, user, form, status=400)
    return _page(request, user, OAuthAppForm(), created=app, secret=secret, status=201)


def _page(request: HttpRequest, user: User, form: OAuthAppForm, *, status: int, **created: object) -> HttpResponse:
    context = {"form": form, "apps": user.oauth_apps.order_by("-created_at", "-id"), **created}
    return render(request, "portal/settings/apps.html", context, status=status)


@require_POST
def removal(request: HttpRequest, app_id: int) -> HttpResponse:
    """Delete an app of one's own; people who signed in with it must sign in otherwise."""
    user = require_user(request)
    app = get_object_or_404(OAuthApp, pk=app_id, owner=user)
    registering.remove(app, by=user)
    messages.success(request, _("The app “%(name)s” is deleted.") % {"name": app.name})
    return redirect("settings_apps")


@require_POST
def revocation(request: HttpRequest, authorization_id: int) -> HttpResponse:
    """End what an app was allowed."""
    user = require_user(request)
    authorization = get_object_or_404(Authorization.objects.select_related("app"), pk=authorization_id, user=user)
    granting.revoke(authorization)
    messages.success(request, _("“%(name)s” may no longer act for you.") % {"name": authorization.app.name})
    return redirect("settings_tokens")
