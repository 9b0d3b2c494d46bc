"""A pack that comes without an end: over SSH not every client closes its side before it waits for the report."""

import hashlib
from collections.abc import Iterable, Iterator

from models_hub.git.bodies import GitBody
from models_hub.git.packs import TRAILER


class PackBody(GitBody):
    """What a push sends, whose rest is one pack: read to its checksum and no further."""

    _pack: Iterator[bytes] | None = None

    def rest(self) -> Iterator[bytes]:
        """Yield the pack; asked again, what is left of it."""
        if self._pack is None:
            self._pack = until_trailer(super().rest())
        return self._pack

    def drain(self, most: int) -> None:
        """Read and drop what is left of the pack: git sees an answer only after it has sent everything."""
        for block in self.rest():
            most -= len(block)
            if most <= 0:
                return


def until_trailer(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks until one ends with the checksum of all that came before it, which is how a pack ends."""
    digest, tail = hashlib.sha1(usedforsecurity=False), b""
    for block in blocks:
        yield block
        joined = tail + block
        digest.update(joined[:-TRAILER])
        tail = joined[-TRAILER:]
        if digest.digest() == tail:
            return
