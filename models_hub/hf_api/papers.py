"""Papers of arXiv that cards name, with what names them. Nothing is known of a paper but what the cards say."""

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Max
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub.cards import PAPER
from models_hub.hf_api.calls import Call
from models_hub.hf_api.info import Info, selected
from models_hub.hf_api.lists import STANDARD
from models_hub.models import Label, Repo, RepoQuerySet
from portal.errors import InvalidInput, NotFound

LABEL = "arxiv:"
PAGE = 50
SEARCHED = 500  # those that were named last
LINKED = 10
LINKS = {"model": "Models", "dataset": "Datasets", "space": "Spaces"}
_MONTH = re.compile(r"\d\d(\d\d)-(0[1-9]|1[0-2])")
# A run of braces is looked at once: read in every possible way, those of one hostile card take many seconds.
_TITLE = re.compile(
    r"(?<![a-z])title\s*+=\s*+(?:\{++|\")(.+?)(?:(?<!\})\}++|\")[^\S\n]*+(?:,|\n|$)", re.DOTALL | re.IGNORECASE
)


def show(call: Call, paper: str) -> HttpResponseBase:
    """Show a paper and the repositories that name it, the most liked first."""
    label = f"{LABEL}{paper}"
    told: dict[str, Any] = {}
    for kind, name in LINKS.items():
        found = _seen(call).filter(kind=kind).labelled(label)
        rows = found.select_related("namespace", "restriction").prefetch_related("labels").order_by("-likes", "-id")
        told[f"linked{name}"] = [selected(Info(repo), STANDARD[kind]) for repo in rows[:LINKED]]
        told[f"numTotal{name}"] = found.count()
    if not re.fullmatch(PAPER, paper) or not any(told.values()):
        raise NotFound(_("No card here names a paper with this arXiv id."))
    return JsonResponse(_row(paper, _titles(call, [label])) | told)


def search(call: Call) -> HttpResponseBase:
    """Find papers by words of their id and title."""
    words = call.request.GET.get("q", "").lower().split()[:8]
    labels = _named(call, LABEL)
    titles = _titles(call, labels)
    rows = [_row(label.removeprefix(LABEL), titles) for label in labels]
    found = [row for row in rows if all(word in f"{row['id']} {row['title'] or ''}".lower() for word in words)]
    return JsonResponse(found[: call.number("limit", PAGE, SEARCHED)], safe=False)


def newest(call: Call) -> HttpResponseBase:
    """List the papers that were named last; of a month, those whose arXiv ids are of it."""
    query = call.request.GET
    if any(query.get(name) for name in ("date", "week", "submitter")):
        raise InvalidInput(_("It is not known here on which day a paper appeared, nor who proposed it: ask by month."))
    month = _MONTH.fullmatch(query.get("month", ""))
    if query.get("month") and month is None:
        raise InvalidInput(_("“month” must look like 2025-02."))
    labels = _named(call, f"{LABEL}{month[1]}{month[2]}." if month else LABEL)
    size, place = call.number("limit", PAGE, SEARCHED), query.get("p", "")
    start = int(place) * size if place.isdecimal() and len(place) < 4 else 0
    shown = labels[start : start + size]
    titles = _titles(call, shown)
    return JsonResponse([_row(label.removeprefix(LABEL), titles) for label in shown], safe=False)


def _seen(call: Call) -> RepoQuerySet:
    return Repo.objects.visible_to(call.user).listed()


def _named(call: Call, begun: str) -> list[str]:
    """Return the labels that begin so, that of the newest repository first."""
    end = begun[:-1] + chr(ord(begun[-1]) + 1)
    rows = Label.objects.filter(text__gte=begun, text__lt=end, repo__in=_seen(call)).values("text")
    newest_first = rows.annotate(newest=Max("repo_id")).order_by("-newest", "text")
    return [row["text"] for row in newest_first[:SEARCHED]]


def _titles(call: Call, labels: Iterable[str]) -> dict[str, str]:
    """Return titles by arXiv id, from citations that are of this very paper."""
    rows = Label.objects.filter(text__in=list(labels), repo__in=_seen(call)).exclude(repo__citation="")
    titles: dict[str, str] = {}
    for label, citation in rows.order_by("id").values_list("text", "repo__citation"):
        paper = label.removeprefix(LABEL)
        if paper not in titles and paper in citation and (title := _TITLE.search(citation)):
            titles[paper] = " ".join(title[1].translate({ord("{"): None, ord("}"): None}).split())
    return titles


def _row(paper: str, titles: dict[str, str]) -> dict[str, Any]:
    return {"id": paper, "title": titles.get(paper), "paper": {"id": paper}}
