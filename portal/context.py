"""What every page's template may use."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name, its address as the reader knows it, and the reader's other language."""
    current = translation.get_language() or settings.LANGUAGE_CODE

    def address() -> str:
        # Called by a template that shows it, not before: the page about a refused host name must still render.
        return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"

    return {
        "site_name": settings.SITE_NAME,
        "site_address": address,
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != current],
    }
