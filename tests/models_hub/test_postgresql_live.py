"""A day of a repository on PostgreSQL, with real requests and the real git: commits, a push, a merge, a limit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live import LivePortal
from tests.models_hub.gitpacks import Work
from tests.models_hub.wire import file_row, large_row
from tests.servers import need
from tests.wire.test_faults import Caller
from tests.worker import postgres

pytestmark = pytest.mark.live

LIMIT = """
from models_hub.models import QuotaAccount
account = QuotaAccount.objects.get(namespace__lower="alice")
account.limit = account.used + 1000 if {full} else None
account.save()
"""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    need("git")
    folder = tmp_path_factory.mktemp("postgresql")
    with postgres.cluster() as url, LivePortal(folder, DATABASE_URL=url) as portal:
        yield portal


@pytest.fixture(scope="module")
def caller(portal: LivePortal) -> Caller:
    return Caller(portal, "day").create()


@pytest.fixture
def full(portal: LivePortal, caller: Caller) -> Iterator[None]:
    """Alice has room for another thousand bytes."""
    portal.script(LIMIT.format(full=True))
    yield
    portal.script(LIMIT.format(full=False))


def answer(response: requests.Response) -> Any:
    assert response.ok, response.text
    return response.json()


def test_a_day_of_a_repository(portal: LivePortal, caller: Caller, tmp_path: Path) -> None:
    api = f"{portal.url}/api/models/alice/day"
    committed = answer(caller.commit(file_row("a.txt", b"one\n")))["commitOid"]

    work = Work(tmp_path / "work")
    work.git("remote", "add", "origin", portal.url.replace("//", f"//alice:{portal.user('alice')}@") + "/alice/day")
    work.git("fetch", "-q", "origin")
    work.git("reset", "-q", "--hard", "origin/main")
    assert work.head() == committed
    pushed = work.commit({"b.txt": b"two\n"})
    work.git("push", "-q", "origin", "main")
    assert answer(caller.session.get(f"{api}/revision/main"))["sha"] == pushed

    stranger = requests.Session()
    stranger.headers["Authorization"] = f"Bearer {portal.user('charlie')}"
    lines = '{"key": "header", "value": {"summary": "Better a"}}\n' + json.dumps(file_row("a.txt", b"better\n"))
    proposed = answer(stranger.post(f"{api}/commit/main?create_pr=1", data=lines))
    assert proposed["pullRequestUrl"].endswith("/alice/day/discussions/1")
    assert stranger.post(f"{api}/discussions/1/merge", json={}).status_code == 403
    answer(caller.session.post(f"{api}/discussions/1/comment", json={"comment": "Thank you"}))
    assert caller.session.post(f"{api}/discussions/1/merge", json={}).ok
    told = answer(caller.session.get(f"{api}/discussions/1?diff=1"))
    assert told["status"] == "merged"

    work.git("pull", "-q", "--ff-only", "origin", "main")
    assert work.head() == told["changes"]["mergeCommitId"]
    assert (work.folder / "a.txt").read_bytes() == b"better\n"
    assert work.git("fsck", "--strict", "--full").strip() == b""
    assert portal.command("recount_storage").strip() == "0 accounts differ."


@pytest.mark.usefixtures("full")
def test_a_full_account_is_refused_by_each_way_in(portal: LivePortal, caller: Caller) -> None:
    head = caller.paths()
    refused = caller.commit(file_row("large.txt", bytes(range(256)) * 8))
    assert (refused.status_code, "limit" in refused.text or "full" in refused.text) == (413, True), refused.text
    body = {"operation": "upload", "objects": [{"oid": "0" * 64, "size": 5000}]}
    assert caller.session.post(f"{portal.url}/alice/day.git/info/lfs/objects/batch", json=body).status_code == 507
    assert caller.commit(large_row("w.bin", "0" * 64, 5000)).status_code >= 400
    assert caller.paths() == head
    assert portal.command("recount_storage").strip() == "0 accounts differ."
