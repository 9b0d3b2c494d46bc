"""Crowds, broken connections and kill -9: nothing half-written is ever visible, and the next attempt succeeds."""

import base64
import hashlib
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from tests.live import LivePortal

pytestmark = pytest.mark.live
CONTENT = bytes(range(256)) * 4096 * 8  # 8 MiB
OID = hashlib.sha256(CONTENT).hexdigest()


class Caller:
    """A program without a client library."""

    def __init__(self, portal: LivePortal, name: str) -> None:
        self.portal, self.name = portal, name
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {portal.user('alice')}"

    def create(self) -> "Caller":
        self.session.post(f"{self.portal.url}/api/repos/create", json={"name": self.name}).raise_for_status()
        return self

    def commit(self, *rows: dict, **header) -> requests.Response:
        first = {"key": "header", "value": {"summary": "change", **header}}
        body = "".join(json.dumps(row) + "\n" for row in (first, *rows))
        return self.session.post(f"{self.portal.url}/api/models/alice/{self.name}/commit/main", data=body)

    def paths(self) -> list[str]:
        answer = self.session.get(f"{self.portal.url}/api/models/alice/{self.name}/tree/main?recursive=true")
        return [row["path"] for row in answer.json()]

    def upload_address(self) -> str:
        body = {"operation": "upload", "objects": [{"oid": OID, "size": len(CONTENT)}]}
        batch = f"{self.portal.url}/alice/{self.name}.git/info/lfs/objects/batch"
        return self.session.post(batch, json=body).json()["objects"][0]["actions"]["upload"]["href"]


def row(path: str, content: bytes) -> dict:
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return {"key": "file", "value": value}


def send_part_of_body(portal: LivePortal, address: str, count: int) -> socket.socket:
    """Open a connection, announce all of CONTENT and send only its beginning."""
    connection = socket.create_connection(("127.0.0.1", portal.port))
    path = address.removeprefix(portal.url)
    head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
    connection.sendall(head.encode() + CONTENT[:count])
    return connection


def stored(portal: LivePortal) -> list[str]:
    return [p.name for p in (portal.data / "blobs").rglob("*") if p.is_file() and p.parent.name != "incoming"]


def test_commits_at_the_same_time_all_land(live_portal):
    caller = Caller(live_portal, "crowd").create()
    callers = [Caller(live_portal, "crowd") for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: callers[n].commit(row(f"{n}.txt", b"%d" % n)), range(12)))
    assert [answer.status_code for answer in answers] == [200] * 12
    assert set(caller.paths()) == {".gitattributes", *(f"{n}.txt" for n in range(12))}
    assert len({answer.json()["commitOid"] for answer in answers}) == 12


def test_of_commits_on_the_same_parent_one_lands(live_portal):
    caller = Caller(live_portal, "rivals").create()
    parent = caller.commit(row("a", b"1")).json()["commitOid"]
    callers = [Caller(live_portal, "rivals") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: callers[n].commit(row("a", b"n%d" % n), parentCommit=parent), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]


def test_a_broken_connection_keeps_nothing(live_portal):
    caller = Caller(live_portal, "broken").create()
    for count in (0, 1, len(CONTENT) // 2, len(CONTENT) - 1):
        send_part_of_body(live_portal, caller.upload_address(), count).close()
    deadline = time.monotonic() + 60
    while list((live_portal.data / "blobs" / "incoming").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert OID not in stored(live_portal)
    assert requests.put(caller.upload_address(), data=CONTENT).status_code == 200
    assert OID in stored(live_portal)


def test_an_early_refusal_reaches_a_client_that_is_still_sending(live_portal):
    caller = Caller(live_portal, "refused").create()
    address = f"{live_portal.url}/api/models/alice/refused/commit/main"
    body = b"x" * 30_000_000
    answer = requests.post(address, data=body, headers={"Authorization": f"Bearer {live_portal.user('charlie')}"})
    assert answer.status_code == 403
    assert caller.session.post(address, data=body).status_code == 413


@pytest.fixture
def own_portal(tmp_path):
    with LivePortal(tmp_path / "portal") as portal:
        yield portal


def test_after_kill_9_nothing_half_written_is_visible(own_portal):
    """The web process dies in the middle of LFS uploads and of commits, again and again."""
    caller = Caller(own_portal, "killed").create()
    files = [row(f"d/{n}.txt", b"%d" % n * 1000) for n in range(400)]
    for delay in (0.05, 0.2, 0.5):
        connection = send_part_of_body(own_portal, caller.upload_address(), len(CONTENT) // 2)
        worker = threading.Thread(target=_commit_quietly, args=(own_portal, files))
        worker.start()
        time.sleep(delay)
        own_portal.kill()
        connection.close()
        worker.join()
        own_portal.start()
        caller = Caller(own_portal, "killed")
        assert len(caller.paths()) in {1, 402}
        assert OID not in stored(own_portal)
    address = caller.upload_address()
    assert requests.put(address, data=CONTENT).status_code == 200
    large = {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": OID, "size": len(CONTENT)}}
    assert caller.commit(*files, large).status_code == 200
    assert len(caller.paths()) == 403
    assert requests.get(f"{own_portal.url}/alice/killed/resolve/main/w.bin").content == CONTENT


def _commit_quietly(portal: LivePortal, files: list[dict]) -> None:
    with suppress(requests.RequestException):
        Caller(portal, "killed").commit(*files)
