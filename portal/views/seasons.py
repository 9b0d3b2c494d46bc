"""Seasons: who is ahead in each track, places, awards; and the standing over all time."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal import seasons, subjects
from portal.authentication import require_user
from portal.badge_forms import AwardForm, PlacingForm, ReasonForm
from portal.errors import DomainError
from portal.models import Award, Placing, Reputation, Season, SeasonPoints, Track, User
from portal.seasons import Candidate

PAGE = 30
PLACES = 60
SEASONS = 40


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The season that runs, and those before it."""
    return _season(request, seasons.current())


@require_safe
def season(request: HttpRequest, slug: str) -> HttpResponse:
    return _season(request, _load(slug))


@require_safe
def standing(request: HttpRequest) -> HttpResponse:
    """Reputation over all time, by track."""
    track = _track(request)
    rows = Reputation.objects.filter(track=track, user__is_active=True)
    page, older = _keyset(request, rows)
    context = {"part": "reputation", "track": track, "tracks": Track.choices, "page": page, "older": older}
    return render(request, "portal/seasons/standing.html", context)


@require_safe
def awards(request: HttpRequest) -> HttpResponse:
    """The awards of all seasons, the latest first; to staff, what is still to be given."""
    rows = list(Award.objects.select_related("season", "user").order_by("-season__starts_at", "kind")[: 5 * SEASONS])
    about = subjects.describe({row.key for row in rows}, request.user)
    context = {"part": "awards", "rows": [(row, about.get(row.key)) for row in rows], "open": _to_give(request)}
    return render(request, "portal/seasons/awards.html", context)


@require_POST
def award(request: HttpRequest, slug: str) -> HttpResponse:
    """Give one of the five awards."""
    user, form, row = require_user(request), AwardForm(request.POST), _load(slug)
    if form.is_valid():
        chosen = form.cleaned_data
        seasons.give(row, chosen["kind"], key=chosen["key"], by=user, reason=chosen["reason"])
    return redirect("awards")


@require_POST
def placing(request: HttpRequest, slug: str) -> HttpResponse:
    """Write down a place in a challenge."""
    user, row = require_user(request), _load(slug)
    form = PlacingForm(request.POST, reader=user)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            seasons.place(
                row, board=chosen["board"], rank=chosen["rank"], user=chosen["person"], key=chosen["evaluation"],
                code=chosen["code"], by=user,
            )  # fmt: skip
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("season", slug=slug)
    return _season(request, row, form=form, status=400)


@require_POST
def striking(request: HttpRequest, placing_id: int) -> HttpResponse:
    """Take a place away."""
    user, form = require_user(request), ReasonForm(request.POST)
    row = get_object_or_404(Placing.objects.select_related("season"), pk=placing_id)
    if form.is_valid():
        seasons.strike(row, by=user, reason=form.cleaned_data["reason"])
    return redirect("season", slug=row.season.slug)


def _season(request: HttpRequest, row: Season, *, form: PlacingForm | None = None, status: int = 200) -> HttpResponse:
    track = _track(request)
    points = SeasonPoints.objects.filter(season=row, track=track, user__is_active=True)
    page, older = _keyset(request, points)
    places = list(Placing.objects.filter(season=row).select_related("user").order_by("kind", "board", "rank")[:PLACES])
    given = list(Award.objects.filter(season=row).select_related("user"))
    keys = {one.key for one in places} | {one.code for one in places} | {one.key for one in given}
    about = subjects.describe(keys, request.user)
    is_staff = isinstance(request.user, User) and request.user.is_staff
    context = {
        "part": "seasons",
        "season": row,
        "seasons": Season.objects.all()[:SEASONS],
        "track": track,
        "tracks": Track.choices,
        "page": page,
        "older": older,
        "places": [(one, about.get(one.key), about.get(one.code)) for one in places],
        "awards": [(one, about.get(one.key)) for one in given],
        "form": (form or PlacingForm(reader=request.user)) if is_staff else None,
    }
    return render(request, "portal/seasons/season.html", context, status=status)


def _keyset(request: HttpRequest, rows: QuerySet[Any]) -> tuple[Sequence[Any], str]:
    """Return a page of rows by points, and where the next one begins: “12.5-33” is points and person of the last."""
    points, _dash, person = request.GET.get("after", "").rpartition("-")
    if person.isascii() and person.isdigit() and len(person) < 19 and points.replace(".", "", 1).isdigit():
        after = float(points[:20])
        rows = rows.filter(Q(points__lt=after) | Q(points=after, user_id__gt=int(person)))
    found = list(rows.select_related("user").order_by("-points", "user_id")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    return found[:PAGE], f"{last.points}-{last.user_id}" if last else ""


def _to_give(request: HttpRequest) -> list[tuple[Season, list[tuple[str, Any, list[tuple[Candidate, Any, Any]]]]]]:
    """Return what staff may still give of the last season that is over."""
    if not (isinstance(request.user, User) and request.user.is_staff):
        return []
    last = next((one for one in Season.objects.all()[:2] if one.is_over), None)
    if last is None:
        return []
    given = set(Award.objects.filter(season=last).values_list("kind", flat=True))
    offered = [(kind, label, seasons.candidates(last, kind)) for kind, label in Award.Kind.choices if kind not in given]
    everything = [one for _kind, _label, found in offered for one in found]
    about = subjects.describe({one.key for one in everything}, request.user)
    people = User.objects.in_bulk({one.user for one in everything})
    shown = [
        (kind, label, [(one, people.get(one.user), about.get(one.key)) for one in found if one.key in about])
        for kind, label, found in offered
    ]
    return [(last, shown)]


def _track(request: HttpRequest) -> Track:
    asked = request.GET.get("track", "")
    if asked and asked not in Track.values:
        raise Http404
    return Track(asked or Track.MODELS)


def _load(slug: str) -> Season:
    return get_object_or_404(Season, slug=slug)
