"""Crowds and broken connections: nothing half-written is ever visible, and the next attempt succeeds."""

import base64
import hashlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

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
