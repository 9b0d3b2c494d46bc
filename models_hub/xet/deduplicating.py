"""What a client need not send: the answer to its question whether a chunk is here already.

It tells of nothing that the asker could not download: of other chunks of the same xorb not even the hash.
"""

import time

from django.core.cache import cache
from django.utils.translation import gettext as _

from models_hub.models import Blob
from models_hub.storage import blob_store
from models_hub.xet import chunk_index
from models_hub.xet.chunk_index import MAX_BLOBS, Shown
from models_hub.xet.hashing import from_text
from models_hub.xet.shards import HIDDEN, XorbRecord, write_xorbs
from models_hub.xet.tokens import Grant
from models_hub.xet.xorbs import TABLE_ROW
from portal.errors import NotFound

# Clients keep an answer and build on it without asking again. What was deleted since must soon be forgotten.
GOOD_FOR_SECONDS = 3600
HINT_EVERY_SECONDS = 60


def shard_about(grant: Grant, chunk_hash: str) -> bytes:
    """Return a shard of the xorbs of files that hold this chunk and that the asker may read; raises NotFound.

    Clients ask for few chunks: for the first of each file, and for one in a thousand. Where the first is not known,
    a new version of a file is the likeliest reason, and what the repository holds is told instead, now and then.
    """
    user = grant.sender()
    found = chunk_index.neighbourhood(chunk_hash, user=user)
    if not found and not chunk_index.is_asked_for(from_text(chunk_hash)):
        found = _hint(grant)
    found = [shown for shown in found if blob_store().has(shown.xorb.key)]  # not what was damaged and is set aside
    if not found:
        raise NotFound(_("No file that you may read has this chunk."))
    now = int(time.time())
    # Rounded, so that the same answer is the same file in the client's cache.
    made = now - now % GOOD_FOR_SECONDS
    return write_xorbs(map(_record, found), made=made, expires=made + 2 * GOOD_FOR_SECONDS)


def _hint(grant: Grant) -> list[Shown]:
    """Return what the repository got last; now and then, for a folder of small files asks for each of them."""
    key = f"xet-hint:{grant.user.pk}:{grant.repo.pk}"
    if cache.get(key):
        return []
    blobs = Blob.objects.filter(repo_blobs__repo=grant.repo, in_pieces=True)
    found = chunk_index.newest_content(blobs.order_by("-pk")[:MAX_BLOBS])
    if found:
        cache.set(key, 1, HINT_EVERY_SECONDS)
    return found


def _record(shown: Shown) -> XorbRecord:
    rows = list(TABLE_ROW.iter_unpack(bytes(shown.xorb.chunks)))
    chunks = [HIDDEN] * shown.intervals[-1].end
    for first, end in shown.intervals:
        chunks[first:end] = rows[first:end]
    return XorbRecord(shown.xorb.hash, chunks)
