"""The entries of a pack as they stand in its file: heads, distances and zlib streams, none believed to be whole."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

BLOCK = 64 * 1024


class PackRefused(InvalidInput):
    """A pack that is broken, lies about itself or refers to what is not here."""

    code = "bad_pack"


class EntryReader:
    """Bytes [position, end) of a pack, entry by entry."""

    def __init__(self, file: BinaryIO, position: int, end: int) -> None:
        self._file = file
        self._buffer = b""
        self._at = 0  # where in the buffer
        self.position = position
        self._unread = end - position
        file.seek(position)

    @property
    def left(self) -> int:
        return self._unread + len(self._buffer) - self._at

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes, which are few."""
        while len(self._buffer) - self._at < count:
            self._fill()
        taken = self._buffer[self._at : self._at + count]
        self._at += count
        self.position += count
        return taken

    def head(self) -> tuple[int, int]:
        """Return the type of the next entry and the size it states."""
        byte = self.take(1)[0]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            byte = self.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 60:
                raise broken()
        return kind, size

    def distance(self) -> int:
        """Return how far back the base of an offset delta begins."""
        byte = self.take(1)[0]
        value = byte & 0x7F
        while byte & 0x80:
            byte = self.take(1)[0]
            value = (value + 1 << 7) | byte & 0x7F
            if value > 1 << 50:
                raise broken()
        return value

    def inflated(self, size: int) -> Iterator[bytes]:
        """Yield the bytes of the zlib stream that begins here; raises PackRefused unless they are `size` of them."""
        inflater, made = zlib.decompressobj(), 0
        while not inflater.eof:
            given = inflater.unconsumed_tail or self._some(size)
            try:
                block = inflater.decompress(given, BLOCK)
            except zlib.error as error:
                raise broken() from error
            made += len(block)
            if made > size:
                raise broken()
            yield block
        self._at -= len(inflater.unused_data)
        self.position -= len(inflater.unused_data)
        if made != size:
            raise broken()

    def _some(self, size: int) -> bytes:
        """Return the next bytes, about as many as a stream of `size` bytes may take."""
        if self._at == len(self._buffer):
            self._fill()
        taken = self._buffer[self._at : self._at + min(size + 64, BLOCK)]
        self._at += len(taken)
        self.position += len(taken)
        return taken

    def _fill(self) -> None:
        block = self._file.read(min(BLOCK, self._unread))
        if not block:
            raise broken()
        self._unread -= len(block)
        self._buffer = self._buffer[self._at :] + block
        self._at = 0


def broken() -> PackRefused:
    """Return the failure for a pack that is not one."""
    return PackRefused(_("The pack is cut off or broken. Run “git fsck” and push again."))
