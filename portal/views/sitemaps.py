"""What search engines may read, and where the pages are."""

from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from portal import sitemaps
from portal.context import site_address
from portal.errors import NotFound

AN_HOUR = 3600
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# What is of one reader alone, is asked again and again in other words, or is for programs.
CLOSED = (
    "/accounts/", "/admin/", "/api/", "/settings/", "/notifications", "/moderation", "/reports/", "/appeals/",
    "/oauth/", "/fragments/", "/search", "/forum/search", "/forum/new", "/forum/unread", "/forum/drafts",
    "/forum/bookmarks", "/*/resolve/",
)  # fmt: skip
PAGES = (
    "/", "/models", "/datasets", "/collections", "/leaderboard", "/forum", "/badges", "/seasons", "/rules",
    "/transparency", "/docs/api",
)  # fmt: skip


@cache_control(public=True, max_age=AN_HOUR)
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What programs that read everything should leave alone."""
    closed = [f"Disallow: {path}" for path in CLOSED]
    lines = ["User-agent: *", *closed, "", f"Sitemap: {site_address(request)}/sitemap.xml"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@cache_control(public=True, max_age=AN_HOUR)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The list of the files."""
    site = site_address(request)
    names = [f"{name}-{n}" for name, one in sitemaps.sections.items() for n in range(1, one.files() + 1)]
    files = [escape(f"{site}/sitemaps/{name}.xml") for name in ["pages-1", *names]]
    rows = "".join(f"<sitemap><loc>{file}</loc></sitemap>\n" for file in files)
    return _xml(f'<sitemapindex xmlns="{NAMESPACE}">\n{rows}</sitemapindex>')


@cache_control(public=True, max_age=AN_HOUR)
@require_safe
def addresses(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One file of addresses."""
    site = site_address(request)
    if name == "pages" and number == 1:
        rows = "".join(f"<url><loc>{escape(site + path)}</loc></url>\n" for path in PAGES)
        return _xml(f'<urlset xmlns="{NAMESPACE}">\n{rows}</urlset>')
    section = sitemaps.sections.get(name)
    if section is None or not 1 <= number <= section.files():
        raise NotFound(_("There is no such list of addresses."))
    rows = "".join(
        f"<url><loc>{escape(site + iri_to_uri(path))}</loc><lastmod>{changed:%Y-%m-%d}</lastmod></url>\n"
        for path, changed in section.addresses(number)
    )
    return _xml(f'<urlset xmlns="{NAMESPACE}">\n{rows}</urlset>')


def _xml(body: str) -> HttpResponse:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
    return HttpResponse(text, content_type="application/xml; charset=utf-8")
