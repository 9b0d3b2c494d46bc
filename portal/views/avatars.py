"""Pictures of people and organizations: what they chose, else the first letter of the name on a colour of its own."""

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from portal.models import Avatar, Namespace

CACHED = "public, max-age=300"
TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96" role="img" aria-label="{}">
<rect width="96" height="96" fill="hsl({} 55% 42%)"/>
<text x="48" y="64" text-anchor="middle" font-family="system-ui, sans-serif" font-size="48" fill="#fff">{}</text>
</svg>"""


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """The picture that a person or an organization chose, else the letter. Nothing in it can run."""
    name = _meant(name)
    bearers = Namespace.objects.known_as(name).exclude(user__is_active=False)
    chosen = Avatar.objects.filter(namespace__in=bearers)
    found = chosen.values_list("digest", "format").first()
    if found is None:
        return _letter(name)
    digest, form = found
    tag = f'"{digest}"'
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        data = chosen.values_list("data", flat=True).first()
        response = HttpResponse(bytes(data or b""), content_type=TYPES[form])
    response["ETag"] = tag
    response["Cache-Control"] = CACHED
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _meant(name: str) -> str:
    """Return the name in an address: programs hold older ones that end in .svg, and so may a name itself."""
    is_older = name.endswith(".svg") and not Namespace.objects.known_as(name).exists()
    return name.removesuffix(".svg") if is_older else name


def _letter(name: str) -> HttpResponse:
    """Return what is made from the name alone: it says nothing of whether somebody bears it."""
    hue = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:2], "big") % 360
    response = HttpResponse(format_html(SVG, name, hue, name[0].upper()), content_type="image/svg+xml")
    response["Cache-Control"] = CACHED
    return response
