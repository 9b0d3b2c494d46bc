"""The first page of the forum, and lists of topics: all, those of a category, those of a tag."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from forum import boards, briefly, levels, reading
from forum.boards import SHOWN, SPANS, Wanted
from forum.models import Category, Level
from forum.views.pieces import line
from portal.errors import NotFound, SignInRequired
from portal.models import User

ON_HOME = 12
ON_FRONT = 5
Thing = TypeVar("Thing")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All categories with what they hold, and what was said last."""
    reader = request.user
    rooms = rooms_of(request)
    pinned, rows = boards.latest(reader, rooms, ON_HOME)
    context = {"rooms": rooms, "pinned": map(line, pinned), "rows": map(line, rows), "is_empty": not (pinned or rows)}
    return render(request, "forum/topics/home.html", context)


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What was said last, for the first page of the portal."""
    pinned, rows = boards.latest(request.user, rooms_of(request), ON_FRONT)
    lines = [line(row) for row in (*pinned, *rows)][:ON_FRONT]
    return render(request, "forum/topics/_front.html", {"lines": lines})


@require_safe
def latest(request: HttpRequest) -> HttpResponse:
    """Topics of all categories."""
    return _listed(request, rooms_of(request), address="/forum/latest")


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """Topics of one category; a category that the reader may not enter is not there."""
    rooms = rooms_of(request)
    room = next((room for room in rooms if room.slug == slug), None)
    if room is None:
        raise NotFound(_("There is no such category."))
    return _listed(request, rooms, address=room.path, category=room, levels=Level.choices)


@require_safe
def tag(request: HttpRequest, name: str) -> HttpResponse:
    """Topics that bear a tag."""
    found = boards.tag(name, request.user)
    return _listed(request, rooms_of(request), address=f"/forum/tags/{found.name}", tag=found)


@require_safe
def tags(request: HttpRequest) -> HttpResponse:
    """The tags in use."""
    return render(request, "forum/topics/tags.html", {"tags": boards.tags(request.user)})


@require_POST
def category_level(request: HttpRequest, slug: str) -> HttpResponse:
    """How much the reader wants to hear of a category."""
    room = _entered(request, slug)
    levels.set_level(room, reader_of(request), levels.checked_level(request.POST.get("level", "")))
    return redirect(room.path)


@require_POST
def category_read(request: HttpRequest, slug: str) -> HttpResponse:
    """Let all of a category count as read."""
    room = _entered(request, slug)
    reading.mark_category(room, reader_of(request))
    return redirect(room.path)


def _listed(request: HttpRequest, rooms: list[Category], *, address: str, **place: Any) -> HttpResponse:
    asked = request.GET
    wanted = Wanted(
        show=asked.get("show", "") if asked.get("show") in SHOWN else "latest",
        span=asked.get("span", "") if asked.get("span") in SPANS else "month",
        category=place.get("category"),
        tag=place.get("tag"),
        before=number(asked.get("before", "")),
        after=number(asked.get("after", "")),
    )
    page = alike(request, ("list", wanted), lambda: boards.page(request.user, wanted, rooms))
    context = {
        "rooms": rooms,
        "wanted": wanted,
        "page": page,
        "pinned": map(line, page.pinned),
        "rows": map(line, page.rows),
        "is_empty": not (page.pinned or page.rows),
        "address": address,
        "shown": SHOWN,
        "spans": boards.SPAN_NAMES,
        **place,
    }
    return render(request, "forum/topics/list.html", context)


def rooms_of(request: HttpRequest) -> list[Category]:
    """Return the categories that the reader may enter."""
    return boards.categories(request.user)


def alike(request: HttpRequest, key: tuple[Hashable, ...], make: Callable[[], Thing]) -> Thing:
    """Return what is the same for all who are not signed in, made once in a few seconds; for others, made now."""
    return make() if request.user.is_authenticated else briefly.kept((*key, get_language()), make)


def _entered(request: HttpRequest, slug: str) -> Category:
    return get_object_or_404(Category.objects.visible_to(request.user), slug=slug)


def reader_of(request: HttpRequest) -> User:
    """Return the person who is signed in."""
    if not isinstance(request.user, User):
        raise SignInRequired(_("Sign in first."))
    return request.user


def number(text: str) -> int | None:
    """Return a whole number that an address holds, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
