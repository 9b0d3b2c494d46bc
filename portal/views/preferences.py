"""A person's own settings."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import privacy as privacies
from portal.authentication import require_user
from portal.errors import DomainError
from portal.forms import AvatarForm, PrivacyForm, ProfileForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Change how one is presented, and the language that this browser asks for."""
    user = require_user(request)
    initial: dict[str, object] = {
        "name": user.get_full_name(),
        "about": user.about,
        "links": user.links,
        "language": translation.get_language(),
    }
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        shown = {name: getattr(user, f"shows_{name}") for name in PrivacyForm.base_fields}
        context = {"form": form, "privacy": PrivacyForm(initial=shown)}
        return render(request, "portal/settings/profile.html", context, status=status)
    user.introduce(**{key: form.cleaned_data[key] for key in ("name", "about", "links")})
    response = redirect("settings_profile")
    user.prefer(language=form.cleaned_data["language"], theme=user.theme)
    speak(request, response, form.cleaned_data["language"], lambda: _("Your profile is saved."))
    return response


@require_POST
def privacy(request: HttpRequest) -> HttpResponse:
    """Choose what others see on one’s page."""
    user, form = require_user(request), PrivacyForm(request.POST)
    form.full_clean()  # of boxes, nothing can be wrong
    privacies.choose(user, **form.cleaned_data)
    messages.success(request, _("Others see of you what you chose."))
    return redirect("settings_profile")


@require_POST
def avatar(request: HttpRequest) -> HttpResponse:
    """Choose a picture, or go back to the letter."""
    user = require_user(request)
    form = AvatarForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            form.apply_to(user.namespace)
            messages.success(request, _("Your picture is saved."))
        except DomainError as error:
            messages.error(request, error.message)
    else:
        messages.error(request, _("Choose a picture first."))
    return redirect("settings_profile")


def speak(request: HttpRequest, response: HttpResponse, language: str, said: Callable[[], str]) -> None:
    """Go on in `language`, as the switch in the navigation does, and say so in it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    with translation.override(language):
        messages.success(request, said())
