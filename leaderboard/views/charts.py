"""Pictures of a board, drawn here: what scores cost, how sure ranks are, webs and history. Each can be saved as SVG."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from leaderboard import ranking
from leaderboard.board_views import View
from leaderboard.charting import forest, history, radar, scatter
from leaderboard.charting.measures import MEASURES
from leaderboard.models import Suite
from leaderboard.ranking import Places
from models_hub import browsing
from models_hub.browsing import RepoMoved, RepoNotFound
from models_hub.models import Repo
from portal.context import site_address

CHARTS: Mapping[str, tuple[str, str | Promise]] = {
    "size": ("cpu", _("Parameters")),
    "disk": ("hdd", _("Size on disk")),
    "memory": ("memory", _("Peak memory")),
    "latency": ("speedometer2", _("Latency")),
    "robustness": ("shield-check", _("Robustness")),
    "calibration": ("bullseye", _("Calibration")),
    "ranks": ("list-ol", _("Rank intervals")),
    "radar": ("radar", _("Benchmarks")),
    "history": ("graph-up", _("History")),
}
HEAD, LINE, PLOT = 88, 22, 540  # of a saved picture
DRAWN = ("scatter", "ranks", "radar", "growth", "versions")


@dataclass(frozen=True)
class Asked:
    """A board, a way to look at it, and which picture of it."""

    suite: Suite
    view: View
    chart: str
    models: tuple[str, ...]
    start: int
    version: str

    def query(self, **changes: Any) -> str:
        """Write the query string of the same with some of it changed."""
        own = {"chart": self.chart, "version": self.version, "start": "", "model": self.models} | changes
        pairs = [(key, one) for key, value in own.items() for one in (value if isinstance(value, tuple) else (value,))]
        view = changes.get("view", self.view).query()
        mine = urlencode([(key, value) for key, value in pairs if key != "view" and value not in {"", None}], safe="/@")
        return "&".join(part for part in (mine, view) if part)


@require_safe
def charts(request: HttpRequest, slug: str) -> HttpResponse:
    """One picture of a board, with the same in a table."""
    asked = _asked(request, slug)
    places = _places(asked)
    context = {
        "asked": asked,
        "suite": asked.suite,
        "places": places,
        "pills": [(name, symbol, title, f"?{asked.query(chart=name)}") for name, (symbol, title) in CHARTS.items()],
        "save": f"{asked.suite.get_absolute_url()}/charts.svg?{asked.query()}",
        "table": f"{asked.suite.get_absolute_url()}?{_version(asked)}{asked.view.query()}",
        "all_models": f"?{asked.query(view=View(sort=asked.view.sort, columns=asked.view.columns))}",
        "whole": asked.query(model=()),
        "kept": parse_qsl(asked.query(model=(), view=replace(asked.view, machine=""))),
        **_drawn(asked, places),
    }
    return render(request, "leaderboard/charts/charts.html", context)


@require_safe
def saved(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture alone, to be kept."""
    asked = _asked(request, slug)
    drawn = _drawn(asked, _places(asked))
    if not any(drawn.get(name) for name in DRAWN):
        raise Http404
    site = site_address(request)
    context = {
        "suite": asked.suite,
        "site": site,
        "address": f"{site}{asked.suite.get_absolute_url()}",
        "height": _height(drawn),
    }
    response = render(request, "leaderboard/charts/saved.svg", context | drawn, content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="{asked.suite.slug}-{asked.chart}.svg"'
    return response


def _asked(request: HttpRequest, slug: str) -> Asked:
    version, start = request.GET.get("version", ""), request.GET.get("start", "")
    version = version if version.isdecimal() and len(version) < 9 else ""
    rows = Suite.objects.approved().select_related("proposed_by")
    suite = get_object_or_404(rows, slug=slug, version=int(version) if version else F("newest"))
    chart = request.GET.get("chart", "")
    return Asked(
        suite=suite,
        view=replace(View.of(request.GET), after=""),
        chart=chart if chart in CHARTS else "size",
        models=tuple(name.strip()[:200] for name in request.GET.getlist("model")[: radar.MOST] if name.strip()),
        start=int(start) if start.isdecimal() and len(start) < 7 else 0,
        version=version,
    )


def _places(asked: Asked) -> Places:
    """Read the board; the days of results only where they are drawn."""
    sort = "finished" if asked.chart == "history" else "score"
    return ranking.places_of(asked.suite, replace(asked.view, sort=sort, q=""))


def _drawn(asked: Asked, places: Places) -> dict[str, Any]:
    """Return what one chart reads."""
    if asked.chart in MEASURES:
        found = scatter.scatter_of(places, MEASURES[asked.chart])
        return {"scatter": found, "measure": MEASURES[asked.chart], "limits": _limits(asked, found)}
    if asked.chart == "ranks":
        return {"ranks": forest.forest_of(places, asked.start)}
    if asked.chart == "radar":
        found_radar = radar.radar_of(places, asked.models)
        return {"radar": found_radar, "toggles": _toggles(asked, found_radar)}
    model = _model(asked)
    return {
        "growth": None if model else history.growth_of(places),
        "model": model,
        "versions": history.versions_of(model, places.columns) if model else None,
    }


def _limits(asked: Asked, found: scatter.Scatter | None) -> list[tuple[scatter.Preset, str]]:
    """Return the best within each limit, with the address of the table of all models within it."""
    if found is None:
        return []
    field = found.measure.filter
    base = asked.suite.get_absolute_url()
    return [
        (one, f"{base}?{_version(asked)}{asked.view.query(**{field: _whole(one.limit)})}" if field else "")
        for one in found.presets
    ]


def _whole(limit: float) -> float:
    return int(limit) if limit == int(limit) else limit


def _toggles(asked: Asked, found: radar.Radar | None) -> list[tuple[str, str]]:
    """Return the drawn models with the address of the picture without them."""
    names = tuple(web.name for web in found.webs) if found else ()
    return [(name, f"?{asked.query(model=tuple(other for other in names if other != name))}") for name in names]


def _model(asked: Asked) -> Repo | None:
    """Return the public model whose history is asked for; a board tells of no other."""
    if not asked.models:
        return None
    owner, _slash, name = asked.models[0].partition("/")
    try:
        model = browsing.visible_repo(AnonymousUser(), kind=Repo.Kind.MODEL, namespace=owner, name=name)
    except RepoMoved as moved:
        model = moved.repo
    except RepoNotFound:
        return None
    return model


def _height(drawn: Mapping[str, Any]) -> int:
    """Return how high a picture is with the words below it."""
    if found := drawn.get("ranks"):
        return HEAD + LINE * (len(found.lines) + 1)
    found = drawn.get("scatter") or drawn.get("growth") or drawn.get("versions") or drawn.get("radar")
    words = next((getattr(found, name) for name in ("front", "records", "lines", "webs") if hasattr(found, name)), ())
    return PLOT + LINE * (len(words) + 1)


def _version(asked: Asked) -> str:
    return f"version={asked.version}&" if asked.version else ""
