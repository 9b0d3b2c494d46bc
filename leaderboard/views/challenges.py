"""Challenges as everybody sees them: the list, what one is about, its rules, data and standings."""

import csv
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from leaderboard import permissions as board_permissions
from leaderboard.challenges import entering, permissions, standings, teams
from leaderboard.challenges.answer_files import ANSWERS
from leaderboard.challenges.objecting import medals_for
from leaderboard.models import Challenge, ChallengeData, Phase, Series, Standing, Team, TeamInvitation
from models_hub import contents, rendering
from portal.models import User

PAGE = 30
OWN = 20
LATEST = 5


@never_cache
@require_safe
def challenges(request: HttpRequest) -> HttpResponse:
    """Open and coming challenges first, then those that are over, the latest first; one's own drafts apart."""
    now, user = timezone.now(), request.user
    approved = Challenge.objects.approved().listed()
    over = approved.filter(closes_at__lte=now).order_by("-closes_at", "-id")
    if (after := _cursor(request.GET.get("after", ""))) is not None:
        over = over.filter(pk__lt=after[1], closes_at=after[0]) | over.filter(closes_at__lt=after[0])
    past = list(over[: PAGE + 1])
    own = Challenge.objects.filter(organizer_id=user.pk or 0).exclude(standing=Standing.APPROVED).listed()
    context = {
        "running": approved.filter(closes_at__gt=now).order_by("opens_at", "id")[:PAGE] if after is None else [],
        "past": past[:PAGE],
        "next": f"{past[PAGE - 1].closes_at.timestamp():.6f}-{past[PAGE - 1].pk}" if len(past) > PAGE else "",
        "is_first": after is None,
        "own": own.order_by("-id")[:OWN],
        "waiting": Challenge.objects.waiting().listed()[:OWN] if board_permissions.can_review(user) else [],
        "series": Series.objects.filter(challenges__standing=Standing.APPROVED).distinct().order_by("-id")[:OWN],
    }
    return render(request, "leaderboard/challenges/list.html", context)


@never_cache
@require_safe
def challenge(request: HttpRequest, slug: str) -> HttpResponse:
    """What it is about, when what happens, what it takes and what can be won."""
    row = load(request, slug)
    context: dict[str, Any] = {
        "description": rendering.page(row.description_text).html if row.description_text else "",
        "prizes": rendering.page(row.prizes_text).html if row.prizes_text else "",
        "rows": _counts(row),
        "people": row.members.count(),
        "entries": row.entries.judged().filter(team__is_baseline=False).count(),
    }
    return page(request, row, "overview", **context)


@never_cache
@require_safe
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules, and the button that accepts them."""
    row = load(request, slug)
    return page(request, row, "rules", text=rendering.page(row.rules_text).html if row.rules_text else "")


@never_cache
@require_safe
def data(request: HttpRequest, slug: str) -> HttpResponse:
    """What is asked and how answers are written; never an answer."""
    row = load(request, slug)
    context: dict[str, Any] = {
        "rows": _counts(row),
        "answer": ANSWERS.get(row.task) if row.takes_predictions else None,
        "may_read": permissions.can_read_questions(request.user, row),
        "examples": _examples(row),
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return page(request, row, "data", **context)


@never_cache
@require_safe
def questions(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The questions of all rows as JSON lines, for whoever accepted the rules."""
    row = load(request, slug)
    if not permissions.can_read_questions(request.user, row):
        raise Http404
    found = get_object_or_404(ChallengeData.objects.select_related("questions"), challenge=row)
    if found.questions is None:
        raise Http404
    headers = {
        "Content-Disposition": f'attachment; filename="{row.slug}-questions.jsonl"',
        "Content-Length": str(found.questions.size),
    }
    return StreamingHttpResponse(contents.stream(found.questions), content_type="application/x-ndjson", headers=headers)


@never_cache
@require_safe
def standings_of(request: HttpRequest, slug: str) -> HttpResponse:
    """The public standings while it runs; after the reveal the outcome, with intervals, ties and how ranks moved."""
    row = load(request, slug)
    if row.is_revealed:
        places = standings.final(row)
        context: dict[str, Any] = {
            "groups": standings.tie_groups(places),
            "scale": _scale([place for place in places if place.low is not None]),
            "medals": medals_for(sum(place.rank is not None for place in places)),
            "named": standings.models_seen(places, request.user),
            "disqualified": Team.objects.filter(challenge=row, disqualified_at__isnull=False).order_by("name"),
        }
        return page(request, row, "standings", **context)
    after = request.GET.get("after", "")
    start = Team.objects.filter(challenge=row, pk=int(after)).first() if after.isdecimal() and len(after) < 19 else None
    found, more = standings.public(row, after=start)
    return page(request, row, "standings", lines=found, next=more.pk if more else None)


@never_cache
@require_safe
def standings_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The standings as a table, with as much as the page shows of each place."""
    row = load(request, slug)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{row.slug}-standings.csv"'
    table = csv.writer(answer)
    if row.is_revealed:
        table.writerow(["rank", "team", "baseline", row.metric, "low", "high", "public_rank", "p_next"])
        for one in standings.final(row):
            table.writerow(
                [one.rank or "", _cell(one.team.name), int(one.team.is_baseline), one.value, one.low, one.high,
                 one.public_rank or "", "" if one.p_next is None else one.p_next]
            )  # fmt: skip
        return answer
    table.writerow(["rank", "team", "baseline", f"public_{row.metric}", "entries"])
    after, more = None, True
    while more:
        found, after = standings.public(row, after=after)
        more = after is not None
        for line in found:
            name, score = _cell(line.team.name), line.team.shown
            table.writerow([line.rank or "", name, int(line.team.is_baseline), score, line.entries])
    return answer


@never_cache
@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    """The challenges of a series, and what their places add up to."""
    row = get_object_or_404(Series, slug=slug)
    found = Challenge.objects.visible_to(request.user).filter(series=row).order_by("-closes_at", "-id")
    if not found.exists() and row.organizer_id != request.user.pk:
        raise Http404
    context = {"series": row, "challenges": found[:PAGE], "people": standings.points_of(row)[:PAGE]}
    return render(request, "leaderboard/challenges/series.html", context)


def load(request: HttpRequest, slug: str) -> Challenge:
    """Return a challenge that the reader may see; Http404 for any other."""
    rows = Challenge.objects.visible_to(request.user).select_related("organizer", "series", "decided_by", "reveal_job")
    return get_object_or_404(rows, slug=slug)


def page(request: HttpRequest, row: Challenge, tab: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page of a challenge: what every tab needs, and what this one does."""
    user = request.user
    member = teams.member_of(row, user) if isinstance(user, User) else None
    if member is not None:
        member.team.challenge = row
    facts = {
        "challenge": row,
        "phase": row.phase,
        "tab": tab,
        "member": member,
        "day": entering.day_of(member.team) if member and row.phase is Phase.OPEN else None,
        "may_organize": permissions.can_organize(user, row),
        "may_oversee": permissions.can_oversee(user, row),
        "may_review": board_permissions.can_review(user),
        "may_join": _may_join(row) and member is None and row.organizer_id != user.pk,
        "invitations": _invitations(row, user),
        "now": timezone.now(),
    }
    return render(request, f"leaderboard/challenges/{tab}.html", {**facts, **context}, status=status)


def _may_join(row: Challenge) -> bool:
    practice = row.takes_late and row.phase in (Phase.REVEALED, Phase.CONFIRMED)
    return practice or row.phase in (Phase.UPCOMING, Phase.OPEN)


def _invitations(row: Challenge, user: Any) -> list[TeamInvitation]:
    if not isinstance(user, User) or row.phase not in (Phase.UPCOMING, Phase.OPEN):
        return []
    return list(TeamInvitation.objects.filter(team__challenge=row, user=user).select_related("team", "invited_by"))


def _counts(row: Challenge) -> ChallengeData | None:
    """Return how many rows there are, and nothing of them."""
    return ChallengeData.objects.filter(challenge=row).only("public_rows", "private_rows", "prepared_at").first()


def _examples(row: Challenge) -> dict[str, str]:
    """Return the first lines of a file of predictions in both forms, made of what everybody knows."""
    if not row.takes_predictions or row.task not in ANSWERS:
        return {}
    column = ANSWERS[row.task].column
    values = {
        "label": row.labels[:2], "labels": ["|".join(row.labels[:2]), row.labels[-1] if row.labels else ""],
        "value": ["0.5", "2"], "similarity": ["0.91", "-0.2"], "text": ["…", "…"],
    }[column]  # fmt: skip
    lines = [f'{{"id": {n}, "{column}": {_as_json(column, value)}}}' for n, value in enumerate(values, start=1)]
    table = "\n".join([f"id,{column}", *(f"{n},{value}" for n, value in enumerate(values, start=1))])
    return {"csv": table, "jsonl": "\n".join(lines)}


def _as_json(column: str, value: str) -> str:
    if column in ("value", "similarity"):
        return value
    if column == "labels":
        return "[" + ", ".join(f'"{label}"' for label in value.split("|")) + "]"
    return f'"{value}"'


def _cell(text: str) -> str:
    """Return a text that no program for tables takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _scale(places: list[Any]) -> tuple[float, float]:
    """Return from where to where intervals are drawn."""
    ends = [end for place in places for end in (place.low, place.high, place.value) if end is not None]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _cursor(text: str) -> tuple[datetime, int] | None:
    """Return the end and the id at which the page before stopped."""
    moment, _dash, number = text.rpartition("-")
    if not number.isdecimal() or len(number) > 18:
        return None
    try:
        return datetime.fromtimestamp(float(moment), tz=UTC), int(number)
    except (ValueError, OverflowError, OSError):
        return None
