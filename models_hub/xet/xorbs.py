"""The xorb format: up to 64 MiB of chunks, each behind a header of 8 bytes and compressed by itself."""

import struct
from array import array
from collections.abc import Iterator
from itertools import accumulate

from django.utils.translation import gettext as _
from lz4.frame import LZ4FrameDecompressor

from models_hub.xet.bodies import Body
from models_hub.xet.hashing import HASH_SIZE, HashTree, chunk_hash, to_text
from portal.errors import InvalidInput

MAX_CHUNK_BYTES = 128 * 1024
MAX_PACKED_BYTES = 2 * MAX_CHUNK_BYTES
MAX_XORB_BYTES = 64 * 1024 * 1024
# Clients put 8,192 chunks at most into a xorb; the bound keeps the chunk table, which we hold in memory, small.
MAX_CHUNKS = 16 * 1024
HEADER_SIZE = 8
# Some clients append a table of the chunks, which we make ourselves and therefore only skip.
FOOTER_MARK = b"XETBLOB"
FOOTER_BYTES = 1024 * 1024
MAX_BODY_BYTES = MAX_XORB_BYTES + MAX_CHUNKS * HEADER_SIZE + FOOTER_BYTES

PLAIN, LZ4, GROUPED_LZ4 = 0, 1, 2
TABLE_ROW = struct.Struct("<32sI")


class XorbRefused(InvalidInput):
    """The bytes are not a xorb, or not the one that was announced."""

    code = "bad_xorb"


class XorbReader:
    """Iterate over it for the raw chunks as they arrive; then it knows the xorb's hash, size and chunk table."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._tree = HashTree()
        self._table = bytearray()
        self.size = 0
        self.chunk_count = 0

    def __iter__(self) -> Iterator[bytes]:
        decompressor = LZ4FrameDecompressor()
        while self._body.remaining:
            header = self._body.take(min(HEADER_SIZE, self._body.remaining))
            if header.startswith(FOOTER_MARK) and self.chunk_count:
                self._body.drain(FOOTER_BYTES)
                return
            scheme, packed_size, size = _parse_header(header)
            if self.chunk_count == MAX_CHUNKS or self.size + size > MAX_XORB_BYTES:
                raise XorbRefused(
                    _("A xorb holds at most %(chunks)d chunks and %(bytes)d bytes. Split it.")
                    % {"chunks": MAX_CHUNKS, "bytes": MAX_XORB_BYTES}
                )
            data = _unpack(scheme, self._body.take(packed_size), size, decompressor)
            self._note(data)
            yield data

    def hash(self) -> str:
        """Return the name that the chunks give the xorb; call it once, after the last chunk."""
        if not self.chunk_count:
            raise XorbRefused(_("The body is empty. Send the xorb’s chunks with a Content-Length."))
        return to_text(self._tree.root())

    @property
    def table(self) -> bytes:
        return bytes(self._table)

    def _note(self, data: bytes) -> None:
        value = chunk_hash(data)
        self._tree.add(value, len(data))
        self._table += TABLE_ROW.pack(value, len(data))
        self.size += len(data)
        self.chunk_count += 1


class ChunkTable:
    """The stored chunk table of a xorb: all chunk hashes in one string, and where each chunk starts."""

    def __init__(self, packed: bytes) -> None:
        rows = list(TABLE_ROW.iter_unpack(packed))
        self.hashes = b"".join([value for value, _size in rows])
        self.offsets = array("Q", accumulate((size for _value, size in rows), initial=0))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self, first: int, end: int) -> Iterator[tuple[bytes, int]]:
        """Yield hash and length of chunks [first, end)."""
        for index in range(first, end):
            at = index * HASH_SIZE
            yield self.hashes[at : at + HASH_SIZE], self.offsets[index + 1] - self.offsets[index]


def _parse_header(header: bytes) -> tuple[int, int, int]:
    if len(header) < HEADER_SIZE or header[0] != 0:
        raise XorbRefused(_("The xorb has a chunk header of an unknown form. Send chunks of format version 0."))
    packed_size = int.from_bytes(header[1:4], "little")
    size = int.from_bytes(header[5:8], "little")
    if not 0 < size <= MAX_CHUNK_BYTES or not 0 < packed_size <= MAX_PACKED_BYTES:
        raise XorbRefused(
            _("The xorb has a chunk of %(size)d bytes; a chunk has 1 to %(most)d.")
            % {"size": max(size, packed_size), "most": MAX_CHUNK_BYTES}
        )
    return header[4], packed_size, size


def _unpack(scheme: int, packed: bytes, size: int, decompressor: LZ4FrameDecompressor) -> bytes:
    if scheme == PLAIN:
        data = packed
    elif scheme in (LZ4, GROUPED_LZ4):
        data = _decompress(packed, size, decompressor)
    else:
        raise XorbRefused(_("The xorb has a chunk of the unknown compression %(scheme)d.") % {"scheme": scheme})
    if len(data) != size:
        raise XorbRefused(_("A chunk of the xorb does not have the length that its header states. Send it again."))
    return _ungroup(data) if scheme == GROUPED_LZ4 else data


def _decompress(packed: bytes, size: int, decompressor: LZ4FrameDecompressor) -> bytes:
    """Return at most size + 1 bytes, so that a small frame cannot become a large allocation."""
    decompressor.reset()
    try:
        data: bytes = decompressor.decompress(packed, max_length=size + 1)
    except RuntimeError as error:
        raise XorbRefused(_("A chunk of the xorb is not valid LZ4. Send it again.")) from error
    if not decompressor.eof or decompressor.unused_data:
        raise XorbRefused(_("A chunk of the xorb does not have the length that its header states. Send it again."))
    return data


def _ungroup(grouped: bytes) -> bytes:
    """Undo byte grouping: all first bytes of each four come first, then all second ones, and so on."""
    data, start = bytearray(len(grouped)), 0
    for place in range(4):
        end = start + (len(grouped) - place + 3) // 4
        data[place::4] = grouped[start:end]
        start = end
    return bytes(data)
