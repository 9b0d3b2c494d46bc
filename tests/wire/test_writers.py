"""Many writers at once, each through another door of the same repository."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.live import PASSWORD, csrf_of
from tests.wire.desks import Api, Desk

pytestmark = pytest.mark.live

ROUNDS, ATTEMPTS = 3, 60


def write_by_api(api, number):
    for n in range(ROUNDS):
        api.commit(**{f"api-{number}-{n}.txt": b"a"})


def write_by_push(api, desk, number):
    clone = desk.clone(api.path)
    for n in range(ROUNDS):
        desk.commit(clone, {f"push-{number}-{n}.txt": b"a"}, "push")
        assert any(pushed(desk, clone) for _attempt in range(ATTEMPTS))


def pushed(desk, clone):
    """Push; where somebody was faster, take in what came and say so."""
    done = desk.attempt(clone, "push", "-q", "origin", "main")
    if done.returncode:
        assert re.search("fetch first|non-fast-forward|failed to push", done.stderr), done.stderr
        desk.git(clone, "pull", "-q", "--rebase")
    return done.returncode == 0


def write_by_page(api, session, number):
    for n in range(ROUNDS):
        assert any(saved(api, session, f"page-{number}-{n}.txt") for _attempt in range(ATTEMPTS))


def saved(api, session, path):
    """Open the page for a new file and send it; the page says when somebody was faster."""
    address = f"{api.portal.url}/{api.path}/new/main"
    fields = {"csrfmiddlewaretoken": csrf_of(session.get(address).text), "path": path, "content": "a", "title": "page"}
    answer = session.post(address, data=fields, headers={"Referer": address}, allow_redirects=False)
    assert answer.status_code in {302, 412}, answer.text[:3000]
    return answer.status_code == 302


def test_eight_writers_on_every_door_lose_nothing(live_portal, tmp_path):
    """By API, by push and by the page's form, at the same time: every commit is there in the end."""
    name = "eight-writers"
    api = Api(live_portal, name)
    api.commit(start=b"0")
    sign_in = browsers_of(live_portal)
    apis = [Api(live_portal, name, exist_ok=True) for _ in range(3)]
    desks = [Desk(live_portal, tmp_path / f"w{number}") for number in range(3)]
    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(write_by_api, one, number) for number, one in enumerate(apis)]
        running += [pool.submit(write_by_push, api, desk, number) for number, desk in enumerate(desks)]
        running += [pool.submit(write_by_page, api, sign_in(), number) for number in range(2)]
        for one in running:
            one.result()
    end = Desk(live_portal, tmp_path / "end")
    clone = end.clone(api.path)
    assert len(list(clone.glob("*-*-*.txt"))) == 8 * ROUNDS
    assert len(end.git(clone, "log", "--format=%H").split()) == 2 + 8 * ROUNDS
    assert end.git(clone, "rev-parse", "HEAD") == api.head()
    assert end.git(clone, "fsck", "--strict", "--full") == ""


def browsers_of(portal):
    """Return a maker of browsers in which alice is signed in."""

    def sign_in():
        session = requests.Session()
        page = session.get(f"{portal.url}/accounts/login/", timeout=30)
        fields = {"csrfmiddlewaretoken": csrf_of(page.text), "login": "alice", "password": PASSWORD}
        session.post(f"{portal.url}/accounts/login/", data=fields, timeout=30)
        assert "sessionid" in session.cookies
        return session

    return sign_in
