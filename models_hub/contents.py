"""Large content in and out: receive verified bytes for a repository, read any range back."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import pieces, quotas, rights
from models_hub.git.objects import BATCH
from models_hub.models import Blob, Repo
from models_hub.pieces import ByteRange
from models_hub.storage import ContentRefused, blob_store

READ_SIZE = pieces.READ_SIZE
# Of a body, at once: larger blocks come in new pages each time, and take twice as long as hashing them.
RECEIVE_SIZE = 64 * 1024
SHA256 = re.compile(r"[0-9a-f]{64}")


def receive(repo: Repo, chunks: Iterable[bytes], *, sha256: str | None = None, size: int | None = None) -> Blob:
    """Store bytes that were sent for `repo` and give the repository the right to them.

    The same content is kept once however often it comes; who sends it must send all of it, so that knowing a
    digest gives nothing. Raises ContentRefused when digest or size differ, keeping nothing.
    """
    quotas.require_room(repo, [size or 0])  # before the bytes are taken in
    # A whole copy of what is here in pieces is not removed again: the file that is exactly one xorb has its key.
    stored = blob_store().put(chunks, digest=sha256, size=size)
    return register(repo, sha256=stored.digest, size=stored.size)


def receive_part(repo: Repo, upload: str, number: int, chunks: Iterable[bytes], *, size: int, whole: int) -> str:
    """Keep one part of a large upload and return its sha256; it is nobody's content until all parts are joined.

    Room for the `whole` is set aside when the first part comes; raises StorageFull.
    """
    quotas.reserve(repo, upload, whole)
    return blob_store().put_part(upload, number, chunks, size=size)


def receive_parts(repo: Repo, upload: str, count: int, *, sha256: str, size: int) -> Blob:
    """Join parts that were sent for `repo` and give the repository the right to the whole, as `receive` does."""
    try:
        stored = blob_store().join_parts(upload, count, digest=sha256, size=size)
    except ContentRefused:  # and its parts are gone
        quotas.end_reservation(repo, upload)
        raise
    with transaction.atomic():
        quotas.end_reservation(repo, upload)
        return register(repo, sha256=stored.digest, size=stored.size)


def register(repo: Repo, *, sha256: str, size: int) -> Blob:
    """Record content whose bytes have just been verified, and the repository's right to it; raises StorageFull."""
    with transaction.atomic():
        account = quotas.hold(repo)
        blob, _created = rights.find_or_add(sha256, size)
        if blob.in_pieces and not pieces.are_sound(blob):
            pieces.replace_by_whole(blob)
        rights.give(account, repo, blob)
    return blob


def claimed_by(repo: Repo, digests: Iterable[str]) -> dict[str, Blob]:
    """Return what `held_by` does, for a sender who will go on to use it: it then stays for as long as an upload may."""
    wanted = [digest for digest in digests if SHA256.fullmatch(digest)]
    rights.renew(repo, wanted)
    return held_by(repo, wanted)


def held_by(repo: Repo, digests: Iterable[str]) -> dict[str, Blob]:
    """Return the blobs with these sha256 that the repository has a right to."""
    wanted = list(dict.fromkeys(digest for digest in digests if SHA256.fullmatch(digest)))
    found: dict[str, Blob] = {}
    for start in range(0, len(wanted), BATCH):
        rows = Blob.objects.filter(repo_blobs__repo=repo, sha256__in=wanted[start : start + BATCH])
        found.update({row.sha256: row for row in rows})
    return found


def require(held: Mapping[str, Blob], sha256: str, size: int | None = None) -> Blob:
    """Return the blob of `held` that a change refers to; otherwise its bytes must be uploaded first."""
    blob = held.get(sha256)
    if blob is None:
        raise ContentRefused(
            _("The content %(sha)s has not been uploaded to this repository. Upload the file, then commit.")
            % {"sha": sha256}
        )
    if size is not None and blob.size != size:
        raise ContentRefused(
            _("The content %(sha)s has %(real)d bytes, not %(claimed)d.")
            % {"sha": sha256, "real": blob.size, "claimed": size}
        )
    return blob


def stream(blob: Blob, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield bytes [start, start + length) of a blob in blocks of at most READ_SIZE."""
    end = blob.size if length is None else min(start + length, blob.size)
    if blob.in_pieces:
        yield from pieces.read(pieces.ranges(blob, start, end))
    else:
        yield from pieces.read([ByteRange(blob.sha256, start, end - start)])


def open_whole(blob: Blob) -> BinaryIO | None:
    """Open the one file that holds a blob, or None where it is kept in pieces."""
    return None if blob.in_pieces else blob_store().open(blob.sha256)


class BlobReader:
    """A blob as a binary file, for parsers that read a header."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._position = 0

    def seek(self, position: int) -> None:
        self._position = position

    def read(self, size: int) -> bytes:
        data = b"".join(stream(self._blob, self._position, size))
        self._position += len(data)
        return data
