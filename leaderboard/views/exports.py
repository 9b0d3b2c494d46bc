"""A board for others: as a file, as a feed, and as a piece of a page elsewhere."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from leaderboard import board_tables, ranking
from leaderboard.board_views import View
from leaderboard.metric_names import metric_label, metric_text
from leaderboard.models import Evaluation, Standing, Suite
from leaderboard.views.badges import spoken
from portal.context import site_address

SECONDS = 300
NEWEST = 30
EMBEDDED = 10
MOST_EMBEDDED = 50
# A frame may stand anywhere, and is nothing but text: it runs no script, sends no form and gets no cookie.
EMBED_POLICY = (
    "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors *; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# What XML cannot hold, although titles can.
_NO_XML = dict.fromkeys(code for code in range(32) if code not in (9, 10, 13)) | {0xFFFE: None, 0xFFFF: None}


@require_safe
@cache_control(public=True, max_age=60)
def table(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """The board as a file, with the filters and the order of the page that it is asked from."""
    suite, view = _suite(request, slug), View.of(request.GET, strict=True)
    columns = board_tables.table_of(suite, view)
    kind = board_tables.FORMATS[form]
    if form == "json":
        return JsonResponse(board_tables.as_json(suite, view, columns), json_dumps_params={"ensure_ascii": False})
    response: HttpResponseBase
    if form == "parquet":
        response = HttpResponse(board_tables.as_parquet(columns), content_type=kind)
    else:
        response = StreamingHttpResponse(board_tables.as_csv(columns), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{suite.slug}-v{suite.version}.{form}"'
    return response


@require_safe
@xframe_options_exempt
@cache_control(public=True, max_age=SECONDS)
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The first places of a board, for a frame in a page elsewhere; the same for everybody who asks."""
    suite, view = _suite(request, slug), View.of(request.GET)
    rows = request.GET.get("rows", "")
    count = min(max(int(rows), 1), MOST_EMBEDDED) if rows.isdecimal() and len(rows) < 4 else EMBEDDED
    language = "zh-hans" if request.GET.get("lang", "").startswith("zh") else "en"
    theme = request.GET.get("theme", "")
    with translation.override(language):
        board = ranking.board_of(suite, view, limit=count)
        context = {
            "board": board,
            "scale": _scale(board),
            "address": f"{site_address(request)}/leaderboard/{suite.slug}",
            "site_address": site_address(request),
            "site_name": settings.SITE_NAME,
            "query": view.query(),
            "theme": theme if theme in ("light", "dark") else "auto",
            "language": language,
        }
        # Without the request: nothing of the reader is looked at, so no cookie is asked for or set.
        response = HttpResponse(render_to_string("leaderboard/boards/embed.html", context))
    response["Content-Security-Policy"] = EMBED_POLICY
    response["Content-Language"] = language
    return response


@require_safe
@cache_control(public=True, max_age=60)
def atom(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The newest results of a board, or of all approved benchmarks, as everybody may see them."""
    base, suite = site_address(request), _suite(request, slug) if slug else None
    rows = Evaluation.objects.public().finished()
    if suite is not None:
        rows = rows.filter(benchmark__entries__suite=suite)
    else:
        rows = rows.filter(benchmark__standing=Standing.APPROVED)
    found = _Feed(
        title=(suite.name if suite else _("New results")).translate(_NO_XML),
        link=base + (suite.get_absolute_url() if suite else "/leaderboard"),
        description="",
        feed_url=base + request.path,
    )
    shown = rows.select_related("model__namespace", "benchmark").defer("details", "report", "provenance")
    for row in shown.order_by("-finished_at", "-id")[:NEWEST]:
        metric = row.benchmark.primary_metric
        title = _("%(model)s on %(benchmark)s") % {"model": row.model.full_name, "benchmark": row.benchmark.title}
        value = f"{metric_label(metric)} {metric_text(row.value, metric)}"
        if row.low is not None and row.high is not None:
            value += f" ({metric_text(row.low, metric)}…{metric_text(row.high, metric)})"
        found.add_item(
            title=f"{title}: {value}".translate(_NO_XML),
            link=base + row.get_absolute_url(),
            description=value,
            unique_id=base + row.get_absolute_url(),
            author_name=row.model.namespace.name,
            pubdate=row.finished_at,
            updateddate=row.finished_at,
        )
    return HttpResponse(found.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@require_safe
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """All ways out of a board at one place, for the view that the reader comes from."""
    suite, view = _suite(request, slug), View.of(request.GET)
    query = view.query()
    base = f"{site_address(request)}/leaderboard/{suite.slug}"
    version = {} if suite.version == suite.newest else {"version": suite.version}
    asked = "&".join(filter(None, (query, urlencode(version))))
    framed = "&".join(filter(None, (asked, spoken())))
    context = {
        "suite": suite,
        "view": view,
        "address": base,
        "asked": f"?{asked}" if asked else "",
        "formats": list(board_tables.FORMATS),
        "frame": f"/leaderboard/{suite.slug}/embed{f'?{framed}' if framed else ''}",
    }
    return render(request, "leaderboard/boards/export.html", context)


class _Feed(Atom1Feed):
    """A feed that is the same as long as its items are."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else _NEVER


def _suite(request: HttpRequest, slug: str) -> Suite:
    version = request.GET.get("version", "")
    number = int(version) if version.isdecimal() and len(version) < 9 else F("newest")
    return get_object_or_404(Suite.objects.approved(), slug=slug, version=number)


def _scale(board: ranking.Board) -> tuple[float, float]:
    """Return where the bars begin and end."""
    return min([0.0, *(row.low for row in board.rows)]), max([10.0, *(row.high for row in board.rows)])
