"""Packs for tests: made by the real git, or byte by byte as no git would."""

import hashlib
import struct
import subprocess
import zlib
from pathlib import Path

COMMIT, TREE, BLOB, TAG, OFFSET_DELTA, ID_DELTA = 1, 2, 3, 4, 6, 7
NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}
WHO = b"A <a@example.org> 1700000000 +0000"
ENV = {
    "PATH": "/usr/bin:/bin", "GIT_AUTHOR_NAME": "Alice", "GIT_AUTHOR_EMAIL": "alice@example.org",
    "GIT_COMMITTER_NAME": "Alice", "GIT_COMMITTER_EMAIL": "alice@example.org", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}  # fmt: skip


class Work:
    """A local git repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, input: bytes | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**ENV, "HOME": str(self.folder)}, input=input,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def commit(self, files: dict[str, bytes], title: str = "change") -> str:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", title)
        return self.head()

    def head(self, revision: str = "HEAD") -> str:
        return self.git("rev-parse", revision).decode().strip()

    def pack(self, *revisions: str, options: tuple[str, ...] = ()) -> bytes:
        lines = "".join(f"{revision}\n" for revision in revisions).encode()
        return self.git("pack-objects", "--stdout", "--revs", "-q", *options, input=lines)

    def ids(self, *revisions: str) -> set[str]:
        listed = self.git("rev-list", "--objects", *revisions).decode().splitlines()
        return {line.split()[0] for line in listed}


def oid_of(kind: int, body: bytes) -> str:
    return hashlib.sha1(f"{NAMES[kind]} {len(body)}\0".encode() + body).hexdigest()


def head(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 15, size >> 4
    made = bytearray([first])
    while size:
        made[-1] |= 0x80
        made.append(size & 0x7F)
        size >>= 7
    return bytes(made)


def entry(kind: int, body: bytes, *, size: int | None = None, base: bytes = b"") -> bytes:
    return head(kind, len(body) if size is None else size) + base + zlib.compress(body)


def pack_of(*entries: bytes, count: int | None = None) -> bytes:
    body = b"PACK" + struct.pack(">II", 2, len(entries) if count is None else count) + b"".join(entries)
    return body + hashlib.sha1(body).digest()


def tree_of(*items: tuple[str, bytes, str]) -> bytes:
    """A tree as it is told, in whatever order: (mode, name, id)."""
    return b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in items)


def commit_of(tree: str, *parents: str, message: bytes = b"change\n", author: bytes = WHO) -> bytes:
    lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
    return b"\n".join([*lines, b"author " + author, b"committer " + WHO, b"", message])


def number(value: int) -> bytes:
    made = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        made.append(low | (0x80 if value else 0))
        if not value:
            return bytes(made)


def delta(base: int, result: int, orders: bytes) -> bytes:
    return number(base) + number(result) + orders
