"""What every blob store promises."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from portal.errors import InvalidInput, Unavailable

LEASE_SECONDS = 48 * 3600


class ContentRefused(InvalidInput):
    """The bytes are not what the sender said they are, so nothing was stored."""

    code = "content_mismatch"


class ContentDamaged(Unavailable):
    """The stored bytes are no longer those of their digest; they are set aside and not served."""

    code = "content_damaged"


class Stored(NamedTuple):
    """What a store now holds: sha256 as 64 hex digits, and the length in bytes."""

    digest: str
    size: int


class BlobStore(Protocol):
    """Immutable bytes under their sha256. A digest that `has` knows is complete and verified."""

    def has(self, digest: str) -> bool: ...

    def digests(self, after: str = "") -> Iterator[Stored]:
        """Yield what is stored in the order of digests, beginning after one of them."""

    def put(self, chunks: Iterable[bytes], *, digest: str | None = None, size: int | None = None) -> Stored:
        """Store the bytes, hashing on the way; raises ContentRefused and keeps nothing if they differ.

        What is there already is kept as if it had come anew: `discard` does not take it for LEASE_SECONDS.
        """

    def adopt(self, path: Path, stored: Stored) -> None:
        """Take a file of this computer in that was hashed already; it is no longer where it was."""

    def open(self, digest: str) -> BinaryIO:
        """Open for reading; raises ContentDamaged for what was set aside, else FileNotFoundError."""

    def delete(self, digest: str) -> None: ...

    def touch(self, digest: str) -> None:
        """Begin the lease of stored content anew."""

    def discard(self, digest: str, *, is_wanted: Callable[[], bool], lease: float = LEASE_SECONDS) -> int:
        """Delete content whose lease is over and that nobody wants at the last look; returns how many bytes went.

        A shorter lease must still be longer than anybody takes from storing content to the row that wants it.

        Whoever stores the same content meanwhile keeps it: either the lease is seen here, or the content is absent
        there and stored anew.
        """

    def recover(self, is_wanted: Callable[[str], bool]) -> None:
        """End what a `discard` began that was killed: content that is wanted is back, the rest is gone."""

    def set_aside(self, digest: str) -> None:
        """Take damaged content out of service; storing it again heals it."""

    def forget_damaged(self, digest: str) -> None:
        """Delete what was set aside."""

    def put_part(self, upload: str, number: int, chunks: Iterable[bytes], *, size: int) -> str:
        """Keep one part of a large upload until it is joined, and return its sha256; sending it again replaces it."""

    def join_parts(self, upload: str, count: int, *, digest: str, size: int) -> Stored:
        """Store parts 1 to `count` as one content and forget them; raises ContentRefused if it is not `digest`."""

    def sweep(self) -> int:
        """Remove what interrupted uploads left behind long ago; returns how many files."""
