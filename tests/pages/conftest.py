"""One portal with a stock of content, and one browser, for all tests of pages that a process runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.live import ROOT, LivePortal
from tests.pages import stock
from tests.servers import need

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PEOPLE = ("alice", "bob", "charlie")


class World(NamedTuple):
    """A portal, what is in it, and the session of each person who is signed in."""

    portal: LivePortal
    facts: dict[str, str]
    sessions: dict[str, str]

    def address(self, template: str) -> str:
        return self.portal.url + template.format(**self.facts)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with LivePortal(tmp_path_factory.mktemp("pages")) as portal:
        sessions = {name: portal.sign_up(name).cookies["sessionid"] for name in PEOPLE}
        made = subprocess.run(
            [sys.executable, "-m", "tests.pages.stock"],
            cwd=ROOT, env=portal.env, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        facts = json.loads(made.stdout.splitlines()[-1])
        yield World(portal, {**facts, "long": stock.LONG}, {"": "", **sessions})


# Of a module: while it runs, its process is in an event loop, where no other test may ask the database.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    [chromium] = need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()
