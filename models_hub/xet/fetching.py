"""The bytes of xorbs, for whoever holds a signed address: just the ranges that it was signed for.

Xorbs are kept unpacked, for every other way to a file (packed, a real model would take 6 % less room); here the
chunk headers are put back before the chunks.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from typing import BinaryIO

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from models_hub.models import Blob, RepoBlob, Xorb
from models_hub.pieces import READ_SIZE
from models_hub.storage import blob_store
from models_hub.xet import tokens
from models_hub.xet.reconstructing import FetchRange, XorbName, serialized_offset
from models_hub.xet.tokens import Grant
from models_hub.xet.xorbs import PLAIN, ChunkTable
from portal.errors import DomainError, NotAllowed

SALT = "models_hub.xet.fetching"


class AddressRefused(NotAllowed):
    """The signature is wrong or too old, or is for other bytes; clients ask for a new address."""

    code = "bad_signature"


class OpenXorb:
    """A xorb as it travels: each chunk behind its header, uncompressed."""

    def __init__(self, xorb: Xorb) -> None:
        self._key = xorb.key
        self._raw = ChunkTable(bytes(xorb.chunks)).offsets
        self._starts = [serialized_offset(chunk, offset) for chunk, offset in enumerate(self._raw)]

    @property
    def size(self) -> int:
        return self._starts[-1]

    def part(self, start: int, stop: int) -> FetchRange:
        """Return the part that bytes [start, stop) are; raises AddressRefused where chunks are cut."""
        first, end = bisect_left(self._starts, start), bisect_left(self._starts, stop)
        if not first < end < len(self._starts) or (self._starts[first], self._starts[end]) != (start, stop):
            raise _refused()
        return FetchRange(first, end, start, stop)

    def stream(self, parts: list[FetchRange]) -> Iterator[tuple[FetchRange, Iterator[bytes]]]:
        """Yield each part with its bytes, which must be read before the next part."""
        with blob_store().open(self._key) as file:
            for part in parts:
                yield part, self._blocks(file, part)

    def _blocks(self, file: BinaryIO, part: FetchRange) -> Iterator[bytes]:
        raw = self._raw
        file.seek(raw[part.first])
        chunk = part.first
        while chunk < part.end:
            # As many chunks as make up one block: a system call for each chunk would cost more than the copies.
            after = min(max(bisect_left(raw, raw[chunk] + READ_SIZE), chunk + 1), part.end)
            data = memoryview(file.read(raw[after] - raw[chunk]))
            if len(data) != raw[after] - raw[chunk]:
                raise OSError("stored content is shorter than its record says")
            pieces: list[bytes | memoryview] = []
            for index in range(chunk, after):
                pieces.append(_header(raw[index + 1] - raw[index]))
                pieces.append(data[raw[index] - raw[chunk] : raw[index + 1] - raw[chunk]])
            yield b"".join(pieces)
            chunk = after


def sign(grant: Grant, blob: Blob, xorb: XorbName, ranges: list[FetchRange]) -> str:
    """Return the signature for an address that gives these ranges, in this order, as long as the grant stands."""
    claims = [
        xorb.id,
        _digest(_header_text([(one.start, one.stop) for one in ranges])),
        blob.pk,
        *(grant.repo.pk, grant.user.pk, grant.scope.value, grant.access.pk if grant.access else None, grant.revision),
    ]
    return signing.dumps(claims, salt=SALT)


def opened(signature: str, *, xorb_hash: str, range_header: str) -> tuple[OpenXorb, list[FetchRange]]:
    """Return the xorb and the ranges that an address gives at this moment; raises AddressRefused, whatever is wrong."""
    try:
        claims = signing.loads(signature, salt=SALT, max_age=settings.SIGNED_URL_SECONDS)
        xorb_id, digest, blob_id, repo_id, user_id, scope, access_id, revision = claims
        grant = tokens.restored(repo_id, user_id, scope, access_id, revision)
    except (signing.BadSignature, ValueError, TypeError, DomainError) as error:
        raise _refused() from error
    if digest != _digest(range_header):
        raise _refused()
    xorb = Xorb.objects.filter(pk=xorb_id, hash=xorb_hash).first()
    if xorb is None or not RepoBlob.objects.filter(repo=grant.repo, blob_id=blob_id).exists():
        raise _refused()
    content = OpenXorb(xorb)
    return content, [content.part(start, stop) for start, stop in _ranges(range_header)]


def _header_text(ranges: list[tuple[int, int]]) -> str:
    """Return the Range header that a client makes of these ranges, which it must send as it is."""
    return "bytes=" + ",".join(f"{start}-{stop - 1}" for start, stop in ranges)


def _ranges(header: str) -> Iterator[tuple[int, int]]:
    """Read a Range header that we have signed ourselves."""
    for text in header.removeprefix("bytes=").split(","):
        start, last = text.split("-")
        yield int(start), int(last) + 1


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _header(size: int) -> bytes:
    length = size.to_bytes(3, "little")
    return b"\0" + length + bytes([PLAIN]) + length


def _refused() -> AddressRefused:
    return AddressRefused(
        _("This address is not valid, has expired or was signed for another range. Ask for the file again.")
    )
