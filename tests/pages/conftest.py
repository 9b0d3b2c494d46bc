"""One portal with a stock of content, and one browser, for all tests of pages that a process runs."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.live import ROOT, LivePortal
from tests.pages.addresses import PLACES, Place
from tests.pages.looking import LANGUAGES, Looker, Reading
from tests.servers import need

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PEOPLE = ("alice", "bob", "charlie")
# Other sites that people sign in with; nobody goes there.
SITES = {
    "GITHUB_CLIENT_ID": "portal", "GITHUB_CLIENT_SECRET": "secret", "OIDC_CLIENT_ID": "portal",
    "OIDC_NAME": "The School", "OIDC_CLIENT_SECRET": "secret", "OIDC_SERVER_URL": "https://sign-in.example.org",
}  # fmt: skip


class World(NamedTuple):
    """A portal, what is in it, and the session of each person who is signed in."""

    portal: LivePortal
    facts: dict[str, str]
    sessions: dict[str, str]

    def address(self, template: str) -> str:
        return self.portal.url + template.format(**self.facts)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with LivePortal(tmp_path_factory.mktemp("pages"), **SITES) as portal:
        sessions = {name: portal.sign_up(name).cookies["sessionid"] for name in PEOPLE}
        made = subprocess.run(
            [sys.executable, "-m", "tests.pages.stock"],
            cwd=ROOT, env=portal.env, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        told = json.loads(made.stdout.splitlines()[-1])
        yield World(portal, told["facts"], {"": "", **sessions, **told["sessions"]})


# Of a module: while it runs, its process is in an event loop, where no other test may ask the database.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    [chromium] = need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def looker(browser: Browser, world: World) -> Iterator[Callable[[str, str], Looker]]:
    """The browser of a person in a language, the same one for all pages of a module."""
    lookers: dict[tuple[str, str], Looker] = {}

    def get(language: str, who: str) -> Looker:
        if (language, who) not in lookers:
            lookers[language, who] = Looker(browser, language, world.sessions[who])
        return lookers[language, who]

    yield get
    for one in lookers.values():
        one.close()


@pytest.fixture(scope="module")
def flaws(world: World, looker: Callable[[str, str], Looker]) -> Callable[[Place], list[str]]:
    """Everything that is wrong with a page in any language, scheme and width."""

    def find(place: Place) -> list[str]:
        found: list[str] = []
        reading = Reading.turn(PLACES.index(place))
        for language in LANGUAGES:
            eyes = looker(language, place.who)
            lands = place.lands.format(**world.facts)
            wrong = eyes.load(world.address(place.address), status=place.status, lands=lands)
            wrong = wrong or list(eyes.look(reading, name=re.sub(r"\W+", "_", str(place))[:80]))
            found += [f"{language} {one}" for one in wrong]
        return found

    return find
