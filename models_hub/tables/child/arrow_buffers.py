"""The bytes of a batch of Arrow, one stretch after the other, each unpacked when it is taken where it is packed."""

import io
import struct

import zstandard
from lz4.frame import LZ4FrameDecompressor

from models_hub.tables.child.flat import Table, Torn

LZ4, ZSTD = 0, 1
MAX_UNPACKED = 256_000_000  # of one batch
MAX_WINDOW = 1 << 27  # what zstd itself takes without being told to
AS_IT_IS = -1


class Buffers:
    """Stretches in the order of the columns. A length that a file claims is believed only up to a bound."""

    def __init__(self, header: Table, body: memoryview) -> None:
        self._places = header.pairs(2)
        self._body = body
        self._codec: int | None = header.table(3).number(0, "b") if header.has(3) else None
        self._left = MAX_UNPACKED

    def take(self) -> memoryview:
        """Return the next stretch; raises Torn."""
        place = next(self._places, None)
        if place is None:
            raise Torn("a column is missing")
        begin, length = place
        if not 0 <= begin <= begin + length <= len(self._body):
            raise Torn("a column lies beyond the file")
        found = self._body[begin : begin + length]
        return found if self._codec is None or not length else self._unpacked(found)

    def _unpacked(self, packed: memoryview) -> memoryview:
        size: int = struct.unpack_from("<q", packed)[0]
        if size == AS_IT_IS:
            return packed[8:]
        self._left -= max(size, 0)
        if size < 0 or self._left < 0:
            raise Torn("one of its parts is too large")
        try:
            found = _unpack(self._codec, packed[8:], size)
        except (RuntimeError, zstandard.ZstdError) as error:
            raise Torn("what is packed in it is damaged") from error
        if len(found) != size:
            raise Torn("what is packed in it has another length")
        return memoryview(found)


def _unpack(codec: int | None, packed: memoryview, size: int) -> bytes:
    """Return at most one byte more than the size, whatever the packed bytes would become."""
    if codec == LZ4:
        return bytes(LZ4FrameDecompressor().decompress(packed, max_length=size + 1))
    if codec == ZSTD:
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        with unpacker.stream_reader(io.BytesIO(packed)) as reader:
            return bytes(reader.read(size + 1))
    raise Torn("it is packed in an unknown way")
