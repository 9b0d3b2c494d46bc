"""The search of the forum: a page of its own, and a piece of the search of the whole site."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from forum import boards, searching
from forum.models import Category
from forum.searching import Question
from forum.views.boards import number

LONGEST = 200
ON_SITE = 5
KINDS = {
    "": _("everything"),
    "discussion": _("discussions"),
    "question": _("questions"),
    "article": _("articles"),
    "repo": _("about repositories"),
}


@never_cache
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Topics and posts that hold the words of a question."""
    rooms = boards.categories(request.user)
    question = _question(request, rooms)
    found = searching.find(question, request.user, rooms) if question.text else None
    context = {"question": question, "found": found, "rooms": rooms, "kinds": KINDS}
    return render(request, "forum/topics/search.html", context)


@never_cache
@require_safe
def piece(request: HttpRequest) -> HttpResponse:
    """The best topics, for the page of all results."""
    question = Question(text=_words(request))
    found = searching.find(question, request.user, boards.categories(request.user)) if question.text else None
    hits = found.hits[:ON_SITE] if found else []
    return render(request, "forum/topics/_found_on_site.html", {"hits": hits, "words": question.text})


def _question(request: HttpRequest, rooms: list[Category]) -> Question:
    asked = request.GET
    return Question(
        text=_words(request),
        category=next((room for room in rooms if room.slug == asked.get("category")), None),
        tag=_clean(asked.get("tag", ""))[:40],
        author=_clean(asked.get("author", "")).lstrip("@")[:96],
        kind=asked.get("kind", "") if asked.get("kind") in searching.KINDS else "",
        solved=bool(asked.get("solved")),
        since=_day(asked.get("since", "")),
        until=_day(asked.get("until", "")),
        latest=asked.get("order") == "latest",
        before=number(asked.get("before", "")),
    )


def _words(request: HttpRequest) -> str:
    return _clean(request.GET.get("q", ""))[:LONGEST]


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 9000 else None
