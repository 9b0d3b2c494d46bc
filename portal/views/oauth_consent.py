"""Where a person allows a program to act: the consent of an app, and the code that a machine shows."""

from urllib.parse import urlsplit

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from portal.authentication import require_user
from portal.errors import NotFound
from portal.models import User
from portal.oauth import codes, devices
from portal.oauth.codes import Asked
from portal.oauth.errors import OAuthError, UnsafeAddress
from portal.scopes import SCOPES
from portal.views.errors import too_many_requests
from portal.views.oauth_endpoints import begin_device, endpoint

Lines = list[tuple[str, object]]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Show what an app asks for; on agreement lead back to it with a code."""
    query = request.GET.dict()
    try:
        asked = codes.read(query)
    except UnsafeAddress as error:
        return render(request, "portal/oauth/refused.html", {"message": error.message}, status=400)
    try:
        codes.check(asked, query)
    except OAuthError as error:
        return _to(asked.back(error=error.code, error_description=error.message))
    if query.get("prompt") == "none":
        return _to(asked.back(error="interaction_required", error_description=_("The person must be asked.")))
    user = require_user(request)
    if request.method != "POST":
        return _consent(request, asked)
    if request.POST.get("decision") != "allow":
        return _to(asked.back(error="access_denied", error_description=_("The request was turned down.")))
    return _to(asked.back(code=codes.issue(asked, user=user)))


def _consent(request: HttpRequest, asked: Asked) -> HttpResponse:
    parts = urlsplit(asked.redirect_uri)
    context = {"app": asked.app, "lines": _lines(asked.scopes), "host": parts.netloc}
    response = render(request, "portal/oauth/authorize.html", context)
    # The form's answer leads to the app: browsers apply form-action to that step too.
    response._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
    return response


def _to(address: str) -> HttpResponse:
    """Lead to an address that the app has registered."""
    return HttpResponseRedirect(address)


def _lines(scopes: list[str]) -> Lines:
    return [(name, SCOPES[name]) for name in SCOPES if name in scopes]


@csrf_exempt
def device(request: HttpRequest) -> HttpResponseBase:
    """One address for both: a program asks for a code by POST, a person opens the page."""
    if request.method in {"GET", "HEAD"}:
        return _device_page(request)
    return endpoint("POST")(begin_device)(request)


@never_cache
def _device_page(request: HttpRequest) -> HttpResponse:
    """Type a code; the address that a program shows brings it along."""
    require_user(request)
    return render(request, "portal/oauth/device.html", {"typed": request.GET.get("user_code", "")[:40]})


@never_cache
@require_http_methods(["POST"])
def device_request(request: HttpRequest) -> HttpResponse:
    """See what the program behind a code asks for."""
    user, typed = require_user(request), request.POST.get("user_code", "")[:40]
    if not _may_guess(request, user):
        return too_many_requests(request)
    try:
        code = devices.find(typed)
    except NotFound as error:
        return render(request, "portal/oauth/device.html", {"typed": typed, "error": error.message}, status=404)
    return render(request, "portal/oauth/device_request.html", {"code": code, "lines": _lines(code.scope.split())})


@never_cache
@require_http_methods(["POST"])
def decision(request: HttpRequest) -> HttpResponse:
    """Let the program in, or turn it away."""
    user = require_user(request)
    allow = request.POST.get("decision") == "allow"
    if not _may_guess(request, user):
        return too_many_requests(request)
    try:
        devices.decide(devices.find(request.POST.get("user_code", "")[:40]), by=user, allow=allow)
    except NotFound as error:
        messages.error(request, error.message)
        return redirect("oauth_device")
    return render(request, "portal/oauth/device_done.html", {"allowed": allow})


def _may_guess(request: HttpRequest, user: User) -> bool:
    return bool(ratelimit.consume(request, action="guess_device_code", user=user))
