"""The bytes of xorbs, for whoever holds a signed address: just the ranges that it names.

Xorbs are kept unpacked, for every other way to a file (packed, a real model would take 6 % less room); here the
chunk headers are put back before the chunks.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from models_hub.models import Blob, RepoBlob, Xorb
from models_hub.storage import blob_store
from models_hub.xet import tokens
from models_hub.xet.reconstructing import FetchRange, XorbName, serialized_offset
from models_hub.xet.tokens import Grant
from models_hub.xet.xorbs import PLAIN, ChunkTable
from portal.errors import DomainError, NotAllowed

SALT = "models_hub.xet.fetching"
# They all go into one address, or one Range header, of which servers accept 8 KB.
MAX_RANGES = 200
# Clients ask for dozens of ranges at once, and each thread holds one block while it is sent, two more when it is read.
BLOCK = 256 * 1024
_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})")


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
            after = min(max(bisect_left(raw, raw[chunk] + BLOCK), chunk + 1), part.end)
            # While a block is sent nothing else is kept of it: many threads send at once.
            yield self._packed(file.read(raw[after] - raw[chunk]), chunk, after)
            chunk = after

    def _packed(self, data: bytes, first: int, end: int) -> bytes:
        """Return chunks [first, end), each behind its header."""
        raw = self._raw[first : end + 1]
        if len(data) != raw[-1] - raw[0]:
            raise OSError("stored content is shorter than its record says")
        view = memoryview(data)
        pieces: list[bytes | memoryview] = []
        for start, stop in pairwise(raw):
            pieces += [_header(stop - start), view[start - raw[0] : stop - raw[0]]]
        return b"".join(pieces)


def query(grant: Grant, blob: Blob, xorb: XorbName, ranges: list[FetchRange]) -> str:
    """Return the query of an address that gives these ranges for as long as the grant stands."""
    named = ",".join(f"{one.start}-{one.stop - 1}" for one in ranges)
    claims = [
        xorb.id,
        _digest(named),
        blob.pk,
        *(grant.repo.pk, grant.user.pk, grant.scope.value, grant.access.pk if grant.access else None, grant.revision),
    ]
    return f"ranges={named}&grant={signing.dumps(claims, salt=SALT)}"


def opened(grant: str, named: str, *, xorb_hash: str, range_header: str) -> tuple[OpenXorb, list[FetchRange]]:
    """Return the xorb, and of the ranges that the address names those that the Range header asks for.

    Clients ask for all at once or for one after another. Raises AddressRefused, whatever is wrong.
    """
    xorb = _granted(grant, named, xorb_hash)
    allowed, asked = _ranges(named), _ranges(range_header.removeprefix("bytes=").replace(" ", ""))
    if not asked or not set(asked) <= set(allowed):
        raise _refused()
    content = OpenXorb(xorb)
    return content, [content.part(start, stop) for start, stop in asked]


def _granted(grant: str, named: str, xorb_hash: str) -> Xorb:
    """Return the xorb whose `named` ranges were granted, if everything that the grant rests on still stands."""
    try:
        claims = signing.loads(grant, salt=SALT, max_age=settings.SIGNED_URL_SECONDS)
        xorb_id, digest, blob_id, repo_id, user_id, scope, access_id, revision = claims
        stands = tokens.restored(repo_id, user_id, scope, access_id, revision)
    except (signing.BadSignature, ValueError, TypeError, DomainError) as error:
        raise _refused() from error
    xorb = Xorb.objects.filter(pk=xorb_id, hash=xorb_hash).first()
    if digest != _digest(named) or xorb is None:
        raise _refused()
    if not RepoBlob.objects.filter(repo=stands.repo, blob_id=blob_id).exists():
        raise _refused()
    return xorb


def _ranges(text: str) -> list[tuple[int, int]]:
    """Return bytes [start, stop) of each range `first-last`, none where anything else is written."""
    found = [_RANGE.fullmatch(one) for one in text.split(",", MAX_RANGES)]
    return [(int(one[1]), int(one[2]) + 1) for one in found if one] if all(found) else []


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _header(size: int) -> bytes:
    length = size.to_bytes(3, "little")
    return b"\0" + length + bytes([PLAIN]) + length


def _refused() -> AddressRefused:
    return AddressRefused(
        _("This address is not valid, has expired or was signed for another range. Ask for the file again.")
    )
