"""The shard format: which runs of which xorbs make up which files. Records of 48 bytes, little endian.

Clients send files; the answer to a question for a chunk is a shard of xorbs.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from models_hub.xet.bodies import Body
from models_hub.xet.hashing import HASH_SIZE, from_text, to_text
from portal.errors import InvalidInput

MAX_BODY_BYTES = 64 * 1024 * 1024
# Clients keep runs longer than half a megabyte on average: enough for 100 GB in one shard, and one
# transaction writes that many rows in seconds.
MAX_TERMS = 200_000
RECORD_SIZE = 48
VERSION = 2

_TAG = b"HFRepoMetaData\0" + bytes.fromhex("5569 6745 6a7b 8157 83a5 bdd9 5ccd d14a a9")
_HEADER = struct.Struct("<32sQQ")
_FILE = struct.Struct("<32sII8x")
_TERM = struct.Struct("<32sIIII")
_HASH = struct.Struct("<32s16x")
_XORB = struct.Struct("<32sIIII")
_CHUNK = struct.Struct("<32sII8x")
# Version, where files and xorbs begin, three lookup tables (start and length: there are none), the key of the chunk
# hashes (none), when made and until when good, unused, where the footer begins.
_FOOTER = struct.Struct("<QQQQQQQQQ32sQQ72xQ")
_FOOTER_VERSION = 1
_END = b"\xff" * 32
_WITH_PROOFS = 1 << 31
_WITH_SHA256 = 1 << 30


class ShardRefused(InvalidInput):
    """The bytes are not a shard, or say something about files that is not so."""

    code = "bad_shard"


class Term(NamedTuple):
    """A run of chunks of a xorb, with the hash that proves its sender knows them."""

    xorb: str
    size: int
    first: int
    end: int
    proof: bytes


@dataclass(frozen=True)
class FileClaim:
    """What a shard says of one file; nothing of it is checked yet."""

    xet_hash: str
    sha256: str
    packed_terms: bytes
    packed_proofs: bytes

    def terms(self) -> Iterator[Term]:
        proofs = _HASH.iter_unpack(self.packed_proofs)
        for (xorb, _flags, size, first, end), (proof,) in zip(
            _TERM.iter_unpack(self.packed_terms), proofs, strict=True
        ):
            yield Term(to_text(xorb), size, first, end, proof)


class XorbRecord(NamedTuple):
    """What a shard tells of a xorb: its chunks, in order, each with hash and length.

    A chunk that is not to be told has neither; its place is kept, since chunks are known by their place.
    """

    hash: str
    chunks: list[tuple[bytes, int]]


HIDDEN = (bytes(HASH_SIZE), 0)


def write_xorbs(xorbs: Iterable[XorbRecord], *, made: int, expires: int) -> bytes:
    """Return a shard that tells of xorbs only, good from one Unix time to another."""
    parts = [_HEADER.pack(_TAG, VERSION, _FOOTER.size), _END + bytes(16)]
    for xorb in xorbs:
        size = sum([length for _value, length in xorb.chunks])
        parts.append(_XORB.pack(from_text(xorb.hash), 0, len(xorb.chunks), size, size))
        start = 0
        for value, length in xorb.chunks:
            parts.append(_CHUNK.pack(value, start, length))
            start += length
    parts.append(_END + bytes(16))
    files, first_xorb, end = _HEADER.size, _HEADER.size + RECORD_SIZE, sum(map(len, parts))
    parts.append(
        _FOOTER.pack(_FOOTER_VERSION, files, first_xorb, end, 0, end, 0, end, 0, bytes(HASH_SIZE), made, expires, end)
    )
    return b"".join(parts)


def read_files(body: Body) -> Iterator[FileClaim]:
    """Yield the files of a shard as they arrive.

    What follows them, the sender's view of xorbs, is left unread: we know the xorbs themselves.
    """
    tag, version, _footer_size = _HEADER.unpack(body.take(_HEADER.size))
    if tag != _TAG or version != VERSION:
        raise ShardRefused(_("This is not a shard of version 2."))
    allowed = MAX_TERMS
    while True:
        file_hash, flags, count = _FILE.unpack(body.take(RECORD_SIZE))
        if file_hash == _END:
            return
        if not (flags & _WITH_PROOFS and flags & _WITH_SHA256):
            raise ShardRefused(_("Each file of a shard needs verification hashes and its sha256."))
        if not 0 < count <= allowed:
            raise ShardRefused(
                _("A file of a shard has at least one run of chunks, and a shard at most %(most)d runs.")
                % {"most": MAX_TERMS}
            )
        allowed -= count
        terms, proofs = body.take(count * RECORD_SIZE), body.take(count * RECORD_SIZE)
        (sha256,) = _HASH.unpack(body.take(RECORD_SIZE))
        yield FileClaim(to_text(file_hash), to_text(sha256), terms, proofs)
