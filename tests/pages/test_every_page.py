"""Every route is looked at by one of the two modules beside this one, or is no page; each in all settings."""

import re
from itertools import combinations

from django.urls import get_resolver, resolve

from tests.pages.addresses import NO_PAGES, PLACES, takes_get, walk
from tests.pages.looking import LANGUAGES, Reading


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


def test_every_two_settings_meet_on_each_page():
    for number in range(len(PLACES)):
        reading = Reading.turn(number)
        ways = [(one, scheme, size["width"]) for one in LANGUAGES for scheme, size in reading.looks(one)]
        for two in combinations(range(3), 2):
            assert len({tuple(way[place] for place in two) for way in ways}) == 4, (number, two)


KNOWN = {
    "first": "a" * 40, "second": "b" * 40, "collection": "collections/alice/a-1", "join": "x", "device": "x",
    "reset": "1-x",
}  # fmt: skip
