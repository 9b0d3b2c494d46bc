"""What every page's template may use."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from portal import inbox
from portal.models import User


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name, its address as the reader knows it, and the reader's other language."""
    current = translation.get_language() or settings.LANGUAGE_CODE
    return {
        "site_name": settings.SITE_NAME,
        # Called by a template that shows it, not before: the page about a refused host name must still render.
        "site_address": lambda: site_address(request),
        # A function, so that only a page with the bell counts.
        "unread_notifications": lambda: inbox.count(request.user) if isinstance(request.user, User) else 0,
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != current],
    }


def site_address(request: HttpRequest) -> str:
    """Return the address of this portal as the reader knows it, without a slash at its end."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
