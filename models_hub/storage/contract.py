"""What every blob store promises."""

from collections.abc import Iterable
from typing import BinaryIO, NamedTuple, Protocol

from portal.errors import InvalidInput


class ContentRefused(InvalidInput):
    """The bytes are not what the sender said they are, so nothing was stored."""

    code = "content_mismatch"


class Stored(NamedTuple):
    """What a store now holds: sha256 as 64 hex digits, and the length in bytes."""

    digest: str
    size: int


class BlobStore(Protocol):
    """Immutable bytes under their sha256. A digest that `has` knows is complete and verified."""

    def has(self, digest: str) -> bool: ...

    def put(self, chunks: Iterable[bytes], *, digest: str | None = None, size: int | None = None) -> Stored:
        """Store the bytes, hashing on the way; raises ContentRefused and keeps nothing if they differ."""

    def open(self, digest: str) -> BinaryIO:
        """Open for reading; raises FileNotFoundError."""

    def delete(self, digest: str) -> None: ...

    def put_part(self, upload: str, number: int, chunks: Iterable[bytes], *, size: int) -> str:
        """Keep one part of a large upload until it is joined, and return its sha256; sending it again replaces it."""

    def join_parts(self, upload: str, count: int, *, digest: str, size: int) -> Stored:
        """Store parts 1 to `count` as one content and forget them; raises ContentRefused if it is not `digest`."""

    def sweep(self) -> int:
        """Remove what interrupted uploads left behind long ago; returns how many files."""
