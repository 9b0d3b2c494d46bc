"""Every page in both languages, both colour schemes and two widths: whole, quiet in the console, and for everybody.

`PAGES_PICTURES=/some/folder` also writes a picture of each, to be looked at.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.urls import get_resolver, resolve
from playwright.sync_api import Browser, Page

from tests.pages import looking
from tests.pages.addresses import NO_PAGES, PLACES, Place, takes_get, walk
from tests.pages.conftest import World

PICTURES = os.environ.get("PAGES_PICTURES", "")


@pytest.fixture(scope="module")
def page_of(browser: Browser, world: World) -> Iterator[Callable[[str], Page]]:
    """One page for each person, since a new context costs more than a new address."""
    pages: dict[str, Page] = {}

    def opened(who: str) -> Page:
        if who not in pages:
            pages[who] = looking.opened(browser, world.sessions[who])
        return pages[who]

    yield opened
    for page in pages.values():
        page.context.close()


@pytest.mark.live
@pytest.mark.browser
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_page_is_whole_quiet_and_accessible(world: World, page_of: Callable[[str], Page], place: Place):
    name = re.sub(r"\W+", "_", str(place))[:80]
    pictures = Path(PICTURES) if PICTURES else None
    address = world.address(place.address)
    assert looking.problems(page_of(place.who), address, pictures=pictures, name=name, status=place.status) == []


def shortened(route: str) -> str:
    """The pages of the three kinds of repositories are the same: one of them stands for all."""
    return re.sub(r"^\^?(datasets/|spaces/|\(\?!datasets/\|spaces/\)|\(\?!datasets/\))", "", route).lstrip("^")


def test_every_route_is_looked_at_or_said_to_be_no_page():
    """A page that is added is audited too, or named here with its reason."""
    facts = dict.fromkeys(re.findall(r"{(\w+)}", " ".join(place.address for place in PLACES)), "1")
    seen = {shortened(resolve(place.address.format(**facts | KNOWN).partition("?")[0]).route) for place in PLACES}
    routes = {shortened(route) for route, view in walk(get_resolver(None)) if takes_get(view)}
    excused = {route for route in routes if any(re.match(one, route) for one in NO_PAGES.values())}
    assert sorted(routes - seen - excused) == []


def test_no_excuse_is_idle():
    routes = {shortened(route) for route, view in walk(get_resolver(None)) if takes_get(view)}
    for excuse in NO_PAGES.values():
        assert any(re.match(excuse, route) for route in routes), excuse


KNOWN = {"first": "a" * 40, "second": "b" * 40, "collection": "collections/alice/a-1", "join": "x", "device": "x"}
