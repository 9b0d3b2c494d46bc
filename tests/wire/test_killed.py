"""kill -9 of the web process while each way in is open: what came in part is seen by nobody, and sent anew it is whole.

All ways are open at once when the process dies, each at the same share of its body: none of it, half, all but a byte,
and all of it, where the process dies somewhere on its way from the last byte to the answer.
"""

import hashlib
import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.live import LivePortal
from tests.models_hub.gitpacks import Work
from tests.models_hub.xet_client import MadeXorb, make_shard, whole
from tests.wire.test_faults import Caller, row

pytestmark = pytest.mark.live
DICE = random.Random(5)
LARGE = DICE.randbytes(3_000_000)
IN_PARTS = DICE.randbytes(1_000_000) * 68  # from 64 MiB on, content comes in parts
XORBS = [MadeXorb(tuple(DICE.randbytes(60_000) for _ in range(8))) for _ in range(2)]
FILES = {f"d/{n}.txt": b"%d" % n * 1000 for n in range(60)}
PUSHED = "refs/heads/pushed"
# How many bytes at the end of each body are not sent, as a share and a number, and how long until the kill.
KILLS = [(1.0, 0, 0.0), (0.5, 0, 0.3), (0.0, 1, 0.1), (0.0, 0, 0.02)]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Sending:
    """One request of a way in, which may be sent in part."""

    method: str
    address: str
    body: bytes
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def begin(self, portal: LivePortal, length: int) -> socket.socket:
        """Announce the whole body and send its beginning."""
        connection = socket.create_connection(("127.0.0.1", portal.port), timeout=20)
        lines = [f"{self.method} {self.address.removeprefix(portal.url)} HTTP/1.1", f"Host: 127.0.0.1:{portal.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["Content-Type: application/octet-stream", f"Content-Length: {len(self.body)}", "", ""]
        with suppress(OSError):  # it was answered before its end
            connection.sendall("\r\n".join(lines).encode() + self.body[:length])
        return connection

    def send(self) -> requests.Response:
        answer = requests.request(self.method, self.address, data=self.body, headers=self.headers, timeout=60)
        assert answer.ok, (self.address, answer.text)
        return answer


class Ways:
    """Every way by which content comes into one repository."""

    def __init__(self, portal: LivePortal, work: Work) -> None:
        self.portal, self.caller = portal, Caller(portal, "killed").create()
        self.token = portal.user("alice")
        self.base = f"{portal.url}/alice/killed"
        self.pushed = work.commit(FILES)
        command = f"{'0' * 40} {self.pushed} {PUSHED}\0report-status".encode()
        self.push = b"%04x" % (len(command) + 4) + command + b"0000" + work.pack(self.pushed)

    def sendings(self) -> Iterator[Sending]:
        """What is still to be sent by each way: of a file that has arrived, nothing."""
        if upload := self._upload(LARGE):
            yield Sending("PUT", upload["href"], LARGE)
        if upload := self._upload(IN_PARTS):
            length = int(upload["header"]["chunk_size"])
            yield Sending("PUT", upload["header"]["1"], IN_PARTS[:length])
        route = f"{self.portal.url}/api/models/alice/killed/xet-write-token/main"
        token = self._get(route).json()["accessToken"]
        for xorb in XORBS:
            yield Sending("POST", f"{self.portal.url}/cas/v1/xorbs/default/{xorb.hash}", xorb.body, token)
        yield Sending("POST", f"{self.portal.url}/cas/v1/shards", make_shard(whole(XORBS[0])), token)
        if self.reference() is None:
            yield Sending("POST", f"{self.base}.git/git-receive-pack", self.push, self.token)

    def commit(self) -> Sending:
        rows = [{"key": "header", "value": {"summary": "change"}}, *(row(path, data) for path, data in FILES.items())]
        address = f"{self.portal.url}/api/models/alice/killed/commit/main"
        return Sending("POST", address, "\n".join(map(json.dumps, rows)).encode(), self.token)

    def finish_parts(self) -> None:
        upload = self._upload(IN_PARTS)
        if upload is None:
            return
        length = int(upload["header"].pop("chunk_size"))
        for number, address in upload["header"].items():
            Sending("PUT", address, IN_PARTS[(int(number) - 1) * length : int(number) * length]).send()
        parts = [{"partNumber": int(number), "etag": "x"} for number in upload["header"]]
        body = json.dumps({"oid": sha256(IN_PARTS), "parts": parts}).encode()
        Sending("POST", upload["href"], body).send()

    def reference(self) -> str | None:
        branches = self._get(f"{self.portal.url}/api/models/alice/killed/refs").json()["branches"]
        return next((one["targetCommit"] for one in branches if one["ref"] == PUSHED), None)

    def refuse_half(self) -> None:
        """Assert that what is there is there as a whole, and counted."""
        assert len(set(self.caller.paths()) & set(FILES)) in {0, len(FILES)}
        assert self.reference() in {None, self.pushed}
        for path in (self.portal.data / "blobs").rglob("*"):
            if path.is_file() and path.parent.name != "incoming":
                assert sha256(path.read_bytes()) == path.name
        for content in (LARGE, IN_PARTS, XORBS[0].raw):
            body = {"operation": "download", "objects": [{"oid": sha256(content), "size": len(content)}]}
            (told,) = self._batch(body)
            if "actions" in told:
                assert requests.get(told["actions"]["download"]["href"], timeout=60).content == content
            else:
                assert told["error"]["code"] == 404
        assert self.portal.command("recount_storage").strip() == "0 accounts differ."

    def _upload(self, content: bytes) -> dict | None:
        objects = [{"oid": sha256(content), "size": len(content)}]
        (told,) = self._batch({"operation": "upload", "transfers": ["basic", "multipart"], "objects": objects})
        return told["actions"]["upload"] if "actions" in told else None

    def _batch(self, body: dict) -> list[dict]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.post(f"{self.base}.git/info/lfs/objects/batch", json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["objects"]

    def _get(self, address: str) -> requests.Response:
        answer = requests.get(address, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)
        assert answer.ok, answer.text
        return answer


@pytest.fixture
def ways(tmp_path: Path) -> Iterator[Ways]:
    with LivePortal(tmp_path / "portal") as portal:
        yield Ways(portal, Work(tmp_path / "work"))


def test_after_kill_9_on_every_way_in_nothing_half_is_seen_and_the_next_attempt_succeeds(ways):
    portal = ways.portal
    for share, bytes_less, delay in KILLS:
        with ExitStack() as open_connections:
            for sending in [*ways.sendings(), ways.commit()]:
                length = int(len(sending.body) * (1 - share)) - bytes_less
                open_connections.enter_context(sending.begin(portal, length))
            time.sleep(delay)
            portal.kill()
        portal.start()
        ways.refuse_half()

    for sending in [*ways.sendings(), ways.commit()]:
        sending.send()
    ways.finish_parts()
    large = {"large.bin": LARGE, "parts.bin": IN_PARTS, "xet.bin": XORBS[0].raw}
    named = [
        {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": sha256(data), "size": len(data)}}
        for path, data in large.items()
    ]
    assert ways.caller.commit(*named).status_code == 200
    for path, content in (large | FILES).items():
        if path in large or path == "d/7.txt":
            assert requests.get(f"{ways.base}/resolve/main/{path}", timeout=60).content == content
    assert ways.reference() == ways.pushed
    assert set(ways.caller.paths()) >= set(FILES) | set(large)
    ways.refuse_half()
