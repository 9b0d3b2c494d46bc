"""LFS pointers: the small text file that stands in a git tree for large content.

Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

import re
from typing import NamedTuple

from dulwich.objects import Blob as GitBlob

MAX_POINTER_BYTES = 1024
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-\S+ \S+\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?"
)


class Pointer(NamedTuple):
    sha256: str
    size: int


def pointer_text(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def parse_pointer(content: bytes) -> Pointer | None:
    """Return the pointer that `content` is, or None for any other file."""
    if len(content) > MAX_POINTER_BYTES or not (match := _POINTER.fullmatch(content)):
        return None
    return Pointer(match[1].decode(), int(match[2]))


def pointer_oid(sha256: str, size: int) -> str:
    """Return the git id of the pointer file: how trees refer to this content."""
    return GitBlob.from_string(pointer_text(sha256, size)).id.decode()
