"""A person's own settings."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.authentication import require_user
from portal.forms import ProfileForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Change how one is presented, and the language that this browser asks for."""
    user = require_user(request)
    initial = {"name": user.get_full_name(), "about": user.about, "language": translation.get_language()}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        return render(request, "portal/settings/profile.html", {"form": form}, status=status)
    user.introduce(name=form.cleaned_data["name"], about=form.cleaned_data["about"])
    response = redirect("settings_profile")
    _speak(request, response, form.cleaned_data["language"])
    return response


def _speak(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Go on in `language`, as the switch in the navigation does."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    with translation.override(language):
        messages.success(request, _("Your profile is saved."))
