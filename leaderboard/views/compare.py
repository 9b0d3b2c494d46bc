"""Models and versions beside each other: scores, speed, single examples, files. Every choice is in the address."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from leaderboard.comparing import choosing, disagreeing, facts, files, sides
from leaderboard.comparing.choosing import Chosen
from leaderboard.comparing.differences import Task
from leaderboard.comparing.disagreeing import Wanted
from leaderboard.comparing.facts import Compared
from leaderboard.comparing.items import Reader
from portal.errors import DomainError, status_of

TABS: tuple[tuple[str, str, str, str | Promise], ...] = (
    ("scores", "/compare", "clipboard-data", _("Scores")),
    ("speed", "/compare/speed", "speedometer2", _("Size and speed")),
    ("examples", "/compare/examples", "card-list", _("Single examples")),
    ("files", "/compare/files", "file-earmark-diff", _("Files")),
)
WAYS: dict[str, str | Promise] = {
    disagreeing.FIRST: _("the first right, the second wrong"),
    disagreeing.SECOND: _("the second right, the first wrong"),
    disagreeing.NEITHER: _("both wrong"),
    disagreeing.BOTH: _("both right"),
}
BETTER: dict[str, str | Promise] = {
    disagreeing.FIRST: _("the first better"),
    disagreeing.SECOND: _("the second better"),
}


@dataclass(frozen=True)
class Tab:
    name: str
    address: str
    symbol: str
    title: str | Promise


@dataclass(frozen=True)
class Column:
    """One of the compared; `without` leaves it out, `first` compares the others with it."""

    one: Chosen
    without: str
    first: str


View = Callable[[HttpRequest, Compared, Reader], HttpResponse]


def comparison(*, reads_items: bool = False) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """Give a view what its address compares, or say what is wrong with the address, above the form that mends it.

    Without `reads_items` no examples are read at first, so nothing is tested.
    """

    def decorate(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @never_cache
        @require_safe
        @wraps(view)
        def found(request: HttpRequest) -> HttpResponse:
            reader, names = Reader(), request.GET.getlist("model")
            pairs = request.GET.get("pairs") == "all"
            try:
                compared = facts.compare(
                    names, request.user, all_pairs=pairs, reader=reader if reads_items else Reader(most=0)
                )
            except DomainError as error:
                rest = Compared(_known(names, request), [], [], pairs)
                known = {one.name for one in rest.chosen}
                typed = ", ".join(name for name in names if name.strip() and name not in known)
                return _page(request, "scores", rest, status=status_of(error), problem=error.message, typed=typed)
            return view(request, compared, reader)

        return found

    return decorate


@comparison(reads_items=True)
def scores(request: HttpRequest, found: Compared, _reader: Reader) -> HttpResponse:
    """What each reached, and which differences are more than chance."""
    return _page(request, "scores", found)


@comparison()
def speed(request: HttpRequest, found: Compared, _reader: Reader) -> HttpResponse:
    """What each weighs, how fast it answers, and what it bears."""
    sizes = sides.sizes_of(found.chosen, found.held)
    return _page(request, "speed", found, sizes=sizes, sides=sides.sides_of(found.tasks))


@comparison()
def examples(request: HttpRequest, found: Compared, reader: Reader) -> HttpResponse:
    """Single examples by how two of them did."""
    shared = found.shared
    asked = [one for one in shared if str(one.benchmark.pk) == request.GET.get("benchmark")]
    # Without a wish, the first one whose rows the reader may see.
    shown = (one for one in shared if disagreeing.is_shown_to(request.user, one))
    task = next(iter(asked), None) or next(shown, None) or next(iter(shared), None)
    more = _examples(request, found, task, reader) if task is not None else {}
    return _page(request, "examples", found, shared=shared, task=task, **more)


@comparison()
def differing_files(request: HttpRequest, found: Compared, _reader: Reader) -> HttpResponse:
    """Keys of the configurations and tensors that are not the same."""
    return _page(request, "files", found, files=files.differences_of(found.chosen, request.user))


def _examples(request: HttpRequest, found: Compared, task: Task, reader: Reader) -> dict[str, Any]:
    places = [place for place, one in enumerate(task.results) if one]
    first = _place(request.GET.get("first", ""), places, places[0])
    second = _place(request.GET.get("second", ""), [place for place in places if place != first], -1)
    if second < 0:
        second = next(place for place in places if place != first)
    way, after = request.GET.get("show", ""), request.GET.get("after", "")
    label = request.GET.get("label", "")
    wanted = Wanted(
        way if way in WAYS else disagreeing.FIRST,
        label if label in task.benchmark.labels else "",
        int(after) if after.isdecimal() and len(after) < 9 else -1,
    )
    is_shown = disagreeing.is_shown_to(request.user, task)
    page = disagreeing.page_of(task, first, second, wanted, reader) if is_shown else None
    return {
        "is_shown": is_shown,
        "page": page,
        "wanted": wanted,
        "ways": WAYS if page and page.is_yes_or_no else BETTER,
        "first": first,
        "second": second,
        "places": [(place, found.chosen[place].name) for place in places],
    }


def _place(text: str, places: list[int], default: int) -> int:
    number = int(text) if text.isdecimal() and len(text) < 3 else -1
    return number if number in places else default


def _known(names: list[str], request: HttpRequest) -> list[Chosen]:
    """Return those of the names that mean something, as many as there may be."""
    found: list[Chosen] = []
    for name in names[: choosing.MOST]:
        with suppress(DomainError):
            found += choosing.choose([name], request.user)
    return list({one.name: one for one in found}.values())[: choosing.MOST]


def _page(request: HttpRequest, tab: str, found: Compared, *, status: int = 200, **more: Any) -> HttpResponse:
    tabs = [Tab(name, _below(path, found), symbol, title) for name, path, symbol, title in TABS]
    context = {
        "compared": found,
        "columns": [_column(one, found) for one in found.chosen],
        "names": [one.name for one in found.chosen],
        "other_pairs": choosing.address_of(found.chosen, pairs="" if found.all_pairs else "all"),
        "is_full": len(found.chosen) >= choosing.MOST,
        "most": choosing.MOST,
        "tabs": tabs,
        "tab": tab,
    }
    return render(request, f"leaderboard/compare/{tab}.html", context | more, status=status)


def _column(one: Chosen, found: Compared) -> Column:
    others = [other for other in found.chosen if other is not one]
    pairs = "all" if found.all_pairs else ""
    return Column(one, choosing.address_of(others, pairs=pairs), choosing.address_of([one, *others], pairs=pairs))


def _below(path: str, found: Compared) -> str:
    return found.address.replace(facts.PATH, path, 1)
