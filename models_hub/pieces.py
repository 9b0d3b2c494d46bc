"""Files kept as pieces: runs of chunks of xorbs, each a plain byte range of something in the blob store."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from django.db import transaction
from django.db.models import F, QuerySet

from models_hub import quotas, rights
from models_hub.models import Blob, DamagedContent, Piece, Repo
from models_hub.storage import blob_store

READ_SIZE = 1024 * 1024
ROWS_AT_ONCE = 1000


class ByteRange(NamedTuple):
    """Some bytes of one stored thing."""

    key: str
    offset: int
    length: int


class Run(NamedTuple):
    """Chunks [first_chunk, end_chunk) of a xorb, and which bytes of it they are."""

    xorb_id: int
    first_chunk: int
    end_chunk: int
    bytes: ByteRange


def register(repo: Repo, *, sha256: str, size: int, xet_hash: str, runs: Iterable[Run]) -> Blob:
    """Record content that has just been verified as these runs, and the repository's right to it.

    Content that is here already, in whatever form, stays as it is unless it is damaged. Raises StorageFull.
    """
    runs = list(runs)
    with transaction.atomic():
        account = quotas.hold(repo)
        blob, created = rights.find_or_add(sha256, size, in_pieces=True, xet_hash=xet_hash)
        if not created and not blob.in_pieces and not blob_store().has(sha256):
            blob.in_pieces, blob.xet_hash = True, xet_hash  # the whole file was damaged and is set aside
            blob.save(update_fields=("in_pieces", "xet_hash"))
            created = True
        if created:
            _write_pieces(blob, runs)
        rights.give(account, repo, blob, used=_used(runs))
    return blob


def are_sound(blob: Blob) -> bool:
    """Say whether no xorb of a blob in pieces was found damaged and set aside."""
    keys = blob.pieces.values("xorb__key")
    return not DamagedContent.objects.filter(healed_at=None, key__in=keys).exists()


def replace_by_whole(blob: Blob) -> None:
    """Let a blob be the whole file that has just been stored, in the transaction that has locked it."""
    blob.pieces.all().delete()
    blob.in_pieces, blob.xet_hash = False, ""
    blob.save(update_fields=("in_pieces", "xet_hash"))


def _used(runs: Iterable[Run]) -> dict[int, int]:
    """Return how many bytes of each xorb the runs use."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for run in runs:
        spans.setdefault(run.xorb_id, []).append((run.bytes.offset, run.bytes.length))
    return {xorb_id: quotas.span_length(of_xorb) for xorb_id, of_xorb in spans.items()}


def _write_pieces(blob: Blob, runs: Iterable[Run]) -> None:
    rows = _pieces(blob, runs)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        Piece.objects.bulk_create(batch)


def _pieces(blob: Blob, runs: Iterable[Run]) -> Iterator[Piece]:
    position = 0
    for index, run in enumerate(runs):
        yield Piece(
            blob=blob,
            index=index,
            xorb_id=run.xorb_id,
            first_chunk=run.first_chunk,
            end_chunk=run.end_chunk,
            offset=run.bytes.offset,
            length=run.bytes.length,
            position=position,
        )
        position += run.bytes.length


def inside(blob: Blob, start: int, end: int) -> QuerySet[Piece]:
    """Return the pieces that hold bytes [start, end) of a blob, in order."""
    return blob.pieces.filter(position__lt=end, position__gt=start - F("length")).order_by("index")


def ranges(blob: Blob, start: int, end: int) -> Iterator[ByteRange]:
    """Yield where bytes [start, end) of a blob in pieces are stored.

    A page of rows at a time: a slow download must not keep a database cursor open, nor a large one all rows.
    """
    rows = inside(blob, start, end).values_list("index", "xorb__key", "position", "offset", "length")
    after = -1
    while page := list(rows.filter(index__gt=after)[:ROWS_AT_ONCE]):
        for _index, key, position, offset, length in page:
            skip = max(start - position, 0)
            yield ByteRange(key, offset + skip, min(end - position, length) - skip)
        if len(page) < ROWS_AT_ONCE:
            return
        after = page[-1][0]


def read(ranges: Iterable[ByteRange]) -> Iterator[bytes]:
    """Yield the bytes of the ranges one after another, in blocks of at most READ_SIZE.

    Neighbours in the same stored thing share one open file.
    """
    file: BinaryIO | None = None
    opened = ""
    try:
        for key, offset, length in ranges:
            if file is None or key != opened:
                if file is not None:
                    file.close()
                file, opened = blob_store().open(key), key
            file.seek(offset)
            yield from _read(file, length)
    finally:
        if file is not None:
            file.close()


def _read(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        block = file.read(min(READ_SIZE, length))
        if not block:
            raise OSError("stored content is shorter than its record says")
        length -= len(block)
        yield block
