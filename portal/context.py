"""What every page's template may use."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name and the reader's other language."""
    current = translation.get_language() or settings.LANGUAGE_CODE
    return {
        "site_name": settings.SITE_NAME,
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != current],
    }
