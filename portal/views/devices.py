"""The devices that show what their owner is told."""

from pathlib import Path

from django.contrib import messages
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal import pushing
from portal.authentication import require_user
from portal.models import PushDevice

SCRIPT = "js/push_worker.js"


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """What browsers keep to show messages: at an address that stays, and for the page of settings alone."""
    if (path := finders.find(SCRIPT)) is None:
        raise Http404
    response = HttpResponse(Path(path).read_bytes(), content_type="text/javascript")
    response["Service-Worker-Allowed"] = reverse("settings_notifications")
    response["Cache-Control"] = "no-cache"
    return response


@require_POST
def addition(request: HttpRequest) -> HttpResponse:
    """Call this browser from now on."""
    user = require_user(request)
    given = {name: request.POST.get(name, "") for name in ("endpoint", "public_key", "auth")}
    pushing.add(user, **given, agent=request.headers.get("User-Agent", ""))
    messages.success(request, _("This device shows messages from now on."))
    return redirect("settings_notifications")


@require_POST
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_user(request)
    pushing.remove(get_object_or_404(PushDevice, user=user, pk=pk), by=user)
    messages.success(request, _("The device gets no more messages."))
    return redirect("settings_notifications")


@require_POST
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_user(request)
    pushing.try_out(get_object_or_404(PushDevice, user=user, pk=pk))
    messages.success(request, _("A message is on its way."))
    return redirect("settings_notifications")
