"""A file of a repository as a binary file with a position, for parsers that look at a few places of a large one."""

import io

from models_hub import browsing
from models_hub.viewers.shown import Place


class TooMuch(Exception):
    """A parser asked for more than a viewer may read."""


class PlaceReader(io.RawIOBase):
    """Reads of the file, each and all together bounded by `limit` bytes."""

    def __init__(self, place: Place, limit: int) -> None:
        super().__init__()
        self._place, self._left = place, limit
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._place.entry.size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def read(self, size: int = -1) -> bytes:
        available = max(self._place.entry.size - self._position, 0)
        length = available if size is None or size < 0 else min(size, available)
        if length > self._left:
            raise TooMuch
        data = b"".join(browsing.stream(self._place.repo, self._place.entry, self._position, length)) if length else b""
        self._position += len(data)
        self._left -= len(data)
        return data
