"""How the administration looks: see https://unfoldadmin.com/docs/configuration/settings/."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def of(site_name: object) -> dict[str, Any]:
    """Return unfold's settings."""
    return {
        "SITE_TITLE": site_name,
        "SITE_HEADER": site_name,
        "SITE_SUBHEADER": _("Administration"),
        "SITE_SYMBOL": "monitoring",
        "SITE_URL": "/",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("img/mark.svg")}],
        "SHOW_HISTORY": False,
        "SHOW_BACK_BUTTON": True,
        # The colours are in css/administration.css: unfold would write them into an element, which our policy refuses.
        "COLORS": {},
        "STYLES": [lambda _request: static("css/administration.css")],
        "SCRIPTS": [lambda _request: static("js/administration.js")],
        "SIDEBAR": {"show_search": True, "show_all_applications": True, "navigation": []},
    }
