"""A client of the Xet API for tests, step by step: it sends, asks, fetches and puts together, or lies."""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.test import Client

from models_hub.models import Repo
from models_hub.xet import tokens
from models_hub.xet.bodies import Body
from models_hub.xet.hashing import chunk_hash, to_text
from models_hub.xet.tokens import Scope
from models_hub.xet.xorbs import XorbReader
from portal.models import Asker
from tests.models_hub.xet_client import MadeFile, MadeXorb, make_shard, whole


class Sender:
    """A client of the Xet API that holds a token for one repository."""

    def __init__(self, repo: Repo, user: Asker, scope: Scope = Scope.WRITE, **options: Any) -> None:
        self.repo = repo
        self.token = tokens.issue(repo=repo, user=user, ttl=600, scope=scope, **options)[0]

    def post(self, path: str, body: bytes) -> Any:
        return Client(enforce_csrf_checks=True).post(
            f"/cas/{path}", body, content_type="application/octet-stream", HTTP_AUTHORIZATION=f"Bearer {self.token}"
        )

    def xorb(self, xorb: MadeXorb, *, body: bytes | None = None) -> Any:
        return self.post(f"v1/xorbs/default/{xorb.hash}", xorb.body if body is None else body)

    def shard(self, *files: MadeFile) -> Any:
        return self.post("v1/shards", make_shard(*files))

    def send(self, *xorbs: MadeXorb) -> list[MadeFile]:
        """Send xorbs, each of which becomes a file."""
        files = [whole(xorb) for xorb in xorbs]
        for xorb in xorbs:
            assert self.xorb(xorb).status_code == 200
        assert self.shard(*files).status_code == 200
        return files

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(f"/cas/{path}", headers={"Authorization": f"Bearer {self.token}", **headers})

    def plan(self, file: str, version: int = 2, byte_range: str = "") -> Any:
        """Ask how a file is put together."""
        return self.get(f"v{version}/reconstructions/{file}", **({"Range": byte_range} if byte_range else {}))

    def chunk(self, value: bytes) -> Any:
        """Ask whether a chunk is known."""
        return self.get(f"v1/chunks/default/{to_text(chunk_hash(value))}")


def fetched(url: str, ranges: Sequence[dict[str, int]]) -> Any:
    """Get bytes as clients do: without a token, with the ranges that the plan names."""
    header = "bytes=" + ",".join(f"{one['start']}-{one['end']}" for one in ranges)
    return Client().get(url.removeprefix("http://testserver"), headers={"Range": header})


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def unpacked(body: bytes) -> list[bytes]:
    """Return the chunks of a serialized run of them."""
    return list(XorbReader(Body(io.BytesIO(body).read, len(body))))


def parts_of(response: Any) -> list[bytes]:
    """Return the parts of a multipart answer."""
    boundary = response["Content-Type"].partition("boundary=")[2]
    pieces = body_of(response).split(f"\r\n--{boundary}".encode())
    assert [pieces[0], pieces[-1]] == [b"", b"--\r\n"]
    return [piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]]


def put_together(plan: dict[str, Any]) -> bytes:
    """Download a file by a plan of either version; the end may lie beyond the end of what was asked for."""
    chunks: dict[tuple[str, int], bytes] = {}
    for xorb, entries in plan.get("xorbs", {}).items():
        for entry in entries:
            answer = fetched(entry["url"], [one["bytes"] for one in entry["ranges"]])
            bodies = [body_of(answer)] if len(entry["ranges"]) == 1 else parts_of(answer)
            for one, body in zip(entry["ranges"], bodies, strict=True):
                chunks |= {(xorb, one["chunks"]["start"] + i): data for i, data in enumerate(unpacked(body))}
    for xorb, entries in plan.get("fetch_info", {}).items():
        for entry in entries:
            body = body_of(fetched(entry["url"], [entry["url_range"]]))
            chunks |= {(xorb, entry["range"]["start"] + i): data for i, data in enumerate(unpacked(body))}
    content = b""
    for term in plan["terms"]:
        run = b"".join(chunks[term["hash"], i] for i in range(term["range"]["start"], term["range"]["end"]))
        assert len(run) == term["unpacked_length"]
        content += run
    return content[plan["offset_into_first_range"] :]


@dataclass(frozen=True)
class ToldXorb:
    """What a shard tells of a xorb."""

    hash: str
    chunks: list[bytes]


def told_xorbs(shard: bytes) -> tuple[list[ToldXorb], int]:
    """Read a shard of xorbs as clients do, from its footer on; returns when it expires as well."""
    fields = struct.unpack("<9Q32s2Q72xQ", shard[-200:])
    start, end, expires = fields[2], fields[3], fields[11]
    assert fields[-1] == end == len(shard) - 200
    found, at = [], start
    while shard[at : at + 32] != b"\xff" * 32:
        name, count = to_text(shard[at : at + 32]), struct.unpack_from("<I", shard, at + 36)[0]
        rows = [shard[at + 48 * (i + 1) :][:32] for i in range(count)]
        found.append(ToldXorb(name, rows))
        at += 48 * (count + 1)
    return found, expires
