"""Pictures of people and organizations: the first letter of the name on a colour of its own."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96" role="img" aria-label="{}">
<rect width="96" height="96" fill="hsl({} 55% 42%)"/>
<text x="48" y="64" text-anchor="middle" font-family="system-ui, sans-serif" font-size="48" fill="#fff">{}</text>
</svg>"""


@require_safe
def avatar(request: HttpRequest, name: str) -> HttpResponse:
    """Made from the name alone: it says nothing of whether somebody bears it."""
    hue = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:2], "big") % 360
    response = HttpResponse(format_html(SVG, name, hue, name[0].upper()), content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=86400"
    return response
