"""Both ends of Xet for tests: the real client with a server that only records, and makers of xorbs and shards."""

import hashlib
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import hf_xet

from models_hub.xet.hashing import HashTree, chunk_hash, file_hash, from_text, range_hash, to_text

TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
BOTH_FLAGS = 0xC0000000


def upload(
    endpoint: str,
    files: Sequence[bytes],
    token: str = "none",
    *,
    sha256: Any = hf_xet.COMPUTE_SHA256,
    **config: object,
) -> list[Any]:
    """Send files with the real client; returns what it says of each: hash, file_size, sha256."""
    settings = hf_xet.XetConfig().with_config({"telemetry.enabled": False, **config})
    commit = hf_xet.XetSession(settings).new_upload_commit(
        endpoint=endpoint, token=token, token_expiry_unix_secs=int(time.time()) + 3600
    )
    handles = [commit.start_upload_bytes(content, sha256=sha256) for content in files]
    commit.wait_to_finish()
    return [handle.result().xet_info for handle in handles]


def main(endpoint: str, token: str, path: str) -> None:
    """Send one file, as a process of its own."""
    upload(endpoint, [Path(path).read_bytes()], token)


@dataclass
class Recording:
    """What a client sent: xorbs by the hash in the address, and shards."""

    url: str
    xorbs: dict[str, bytes] = field(default_factory=dict)
    shards: list[bytes] = field(default_factory=list)


@contextmanager
def recorder() -> Iterator[Recording]:
    """Run a server that accepts every upload and keeps the bodies."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(404, b"{}")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "/v1/xorbs/" in self.path:
                recording.xorbs[self.path.rsplit("/", 1)[1]] = body
                self._answer(200, b'{"was_inserted": true}')
            elif self.path.endswith("/v2/shards"):
                recording.shards.append(body)
                self._answer(200, b'{"type": "result"}\n')
            else:
                self._answer(404, b"{}")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recording = Recording(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield recording
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def header(size: int, *, packed: int | None = None, scheme: int = 0, version: int = 0) -> bytes:
    packed = size if packed is None else packed
    return bytes([version]) + packed.to_bytes(3, "little") + bytes([scheme]) + size.to_bytes(3, "little")


@dataclass(frozen=True)
class MadeXorb:
    """A well-formed xorb of uncompressed chunks."""

    chunks: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        return b"".join(header(len(chunk)) + chunk for chunk in self.chunks)

    @property
    def raw(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def hash(self) -> str:
        return to_text(root_of(self.chunks))

    def term(self, first: int = 0, end: int | None = None, **lies: Any) -> "MadeTerm":
        end = len(self.chunks) if end is None else end
        inside = self.chunks[first:end]
        proof = range_hash(b"".join(chunk_hash(chunk) for chunk in inside))
        return MadeTerm(
            self.hash, **{"size": len(b"".join(inside)), "first": first, "end": end, "proof": proof, **lies}
        )


@dataclass(frozen=True)
class MadeTerm:
    xorb: str
    size: int
    first: int
    end: int
    proof: bytes


@dataclass(frozen=True)
class MadeFile:
    """A file block of a shard. `chunks` give its hash; everything may be a lie."""

    chunks: Sequence[bytes]
    sha256: str
    terms: Sequence[MadeTerm]
    flags: int = BOTH_FLAGS
    count: int | None = None
    xet_hash: str | None = None

    @property
    def hash(self) -> str:
        return self.xet_hash or to_text(file_hash(root_of(self.chunks)))


def root_of(chunks: Sequence[bytes]) -> bytes:
    tree = HashTree()
    for chunk in chunks:
        tree.add(chunk_hash(chunk), len(chunk))
    return tree.root()


def make_shard(*files: MadeFile) -> bytes:
    parts = [TAG + struct.pack("<QQ", 2, 0)]
    for file in files:
        count = len(file.terms) if file.count is None else file.count
        parts.append(from_text(file.hash) + struct.pack("<II8x", file.flags, count))
        parts += [from_text(term.xorb) + struct.pack("<IIII", 0, *term_numbers(term)) for term in file.terms]
        if file.flags & 1 << 31:
            parts += [term.proof + bytes(16) for term in file.terms]
        if file.flags & 1 << 30:
            parts.append(from_text(file.sha256) + bytes(16))
    end = b"\xff" * 32 + bytes(16)
    return b"".join([*parts, end, end])


def term_numbers(term: MadeTerm) -> tuple[int, int, int]:
    return term.size, term.first, term.end


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def whole(xorb: MadeXorb, **lies: Any) -> MadeFile:
    """The file that is exactly one xorb."""
    return MadeFile(xorb.chunks, lies.pop("sha256", sha256(xorb.raw)), [xorb.term()], **lies)
