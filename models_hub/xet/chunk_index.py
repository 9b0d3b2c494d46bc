"""The index of chunks that clients ask for: what of the pool spares an upload its bytes."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import F, Q

from models_hub.models import Blob, KnownChunk, Piece, Xorb
from models_hub.xet.hashing import to_text
from models_hub.xet.possession import Interval, joined, readable_repos
from portal.models import Asker

# The files, and the xorbs of each answer: a xorb is 64 MB of a file, and 50 kB of the answer.
MAX_BLOBS = 4
MAX_XORBS = 48
MAX_PIECES = 10_000
MAX_CHUNKS_OF_FILE = 10_000


class ChunkPlace(NamedTuple):
    """Where a chunk lies in the pool."""

    hash: bytes
    xorb_id: int
    number: int


class Shown(NamedTuple):
    """A xorb, and those of its chunks that the asker may know of."""

    xorb: Xorb
    intervals: list[Interval]


def is_asked_for(chunk_hash: bytes) -> bool:
    """Say whether clients ask for this chunk wherever they meet it: its last number is a multiple of 1,024."""
    return chunk_hash[24] == 0 and chunk_hash[25] & 3 == 0


def remember(chunks: Iterable[ChunkPlace]) -> None:
    """Add chunks of a file to the index."""
    rows = [KnownChunk(hash=to_text(value), xorb_id=xorb_id, index=number) for value, xorb_id, number in chunks]
    KnownChunk.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def neighbourhood(chunk_hash: str, *, user: Asker) -> list[Shown]:
    """Return the xorbs of files that hold this chunk, as far as the user may read those files; often none.

    The files' other xorbs come along: whoever has one chunk of a file probably has more of it. Three queries.
    """
    places = Piece.objects.filter(
        Q(first_chunk__lte=F("xorb__known_chunks__index"), end_chunk__gt=F("xorb__known_chunks__index")),
        xorb__known_chunks__hash=chunk_hash,
        blob__repo_blobs__repo__in=readable_repos(user),
    )
    found = dict(places.order_by("-blob_id", "-index").values_list("blob_id", "index").distinct()[: MAX_BLOBS * 4])
    return _shown(dict(list(found.items())[:MAX_BLOBS]))


def _shown(starts: dict[int, int]) -> list[Shown]:
    """Return the xorbs of blobs, from the piece at which to start in each; a long file is told as a client gets on."""
    wanted = Q(pk__in=())
    for blob_id, index in starts.items():
        wanted |= Q(blob_id=blob_id, index__gte=index)
    rows = Piece.objects.filter(wanted).order_by("index").values_list("xorb_id", "first_chunk", "end_chunk")
    known: dict[int, list[Interval]] = {}
    for xorb_id, first, end in rows[:MAX_PIECES]:
        if xorb_id in known or len(known) < MAX_XORBS:
            known.setdefault(xorb_id, []).append(Interval(first, end))
    xorbs = Xorb.objects.in_bulk(known)
    return [Shown(xorbs[xorb_id], joined(intervals)) for xorb_id, intervals in known.items() if xorb_id in xorbs]


def newest_content(blobs: Iterable[Blob]) -> list[Shown]:
    """Return the xorbs of these blobs, for a client that begins a file of which nothing is known."""
    return _shown({blob.pk: 0 for blob in blobs})
