"""Uploads become content: xorbs go to the pool, shards make files of them for one repository."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import pieces
from models_hub.models import Blob, Repo, Xorb
from models_hub.pieces import ByteRange, Run
from models_hub.storage import blob_store
from models_hub.xet import shards, xorbs
from models_hub.xet.bodies import Body
from models_hub.xet.hashing import HASH_SIZE, HashTree, file_hash, range_hash, to_text
from models_hub.xet.shards import FileClaim, ShardRefused, Term
from models_hub.xet.xorbs import ChunkTable, XorbReader, XorbRefused
from portal.errors import TooLarge

# A table takes 40 bytes a chunk, usually 1,000 chunks: this many are some 5 MB.
TABLES_HELD = 128


def receive_xorb(expected_hash: str, body: Body) -> bool:
    """Put a xorb into the pool, unpacked; returns False when it is there already.

    The bytes are checked in either case: a hash alone must not tell its sender what we hold.
    Raises XorbRefused, keeping nothing.
    """
    body.limit(xorbs.MAX_BODY_BYTES)
    reader = XorbReader(body)
    chunks = _verified(reader, expected_hash)
    known = Xorb.objects.filter(hash=expected_hash).only("key").first()
    if known and blob_store().has(known.key):
        for _chunk in chunks:
            pass
        return False
    stored = blob_store().put(chunks)
    _xorb, created = Xorb.objects.get_or_create(
        hash=expected_hash,
        defaults={
            "key": stored.digest,
            "size": reader.size,
            "chunk_count": reader.chunk_count,
            "chunks": reader.table,
        },
    )
    return created


def _verified(reader: XorbReader, expected_hash: str) -> Iterator[bytes]:
    yield from reader
    if reader.hash() != expected_hash:
        raise XorbRefused(_("The xorb’s chunks do not have the hash in the address. Send it again."))


def receive_shard(repo: Repo, body: Body) -> None:
    """Give the repository every file that the shard describes, or none of them.

    Each file is proved: its sender knows the hash of every chunk, the chunks give the file's hash, and their
    bytes, which we read, its sha256. Raises ShardRefused, changing nothing.
    """
    body.limit(shards.MAX_BODY_BYTES)
    pool = lru_cache(maxsize=TABLES_HELD)(_PoolXorb.load)
    files = [_prove(claim, pool) for claim in shards.read_files(body)]
    # In one order, so that two shards with the same files wait for each other instead of locking up.
    files.sort(key=lambda file: file.sha256)
    with transaction.atomic():
        for file in files:
            pieces.register(repo, sha256=file.sha256, size=file.size, xet_hash=file.xet_hash, runs=file.runs)


@dataclass(frozen=True)
class _PoolXorb:
    """A xorb of the pool as a shard refers to it."""

    id: int
    key: str
    table: ChunkTable

    @classmethod
    def load(cls, hash: str) -> "_PoolXorb":
        xorb = Xorb.objects.filter(hash=hash).first()
        if xorb is None:
            raise _unproved(hash)
        return cls(xorb.pk, xorb.key, ChunkTable(bytes(xorb.chunks)))

    def run(self, term: Term) -> Run:
        """Return the byte range of a term, once its sender has proved to know the chunks."""
        if not term.first < term.end <= len(self.table):
            raise _unproved(term.xorb)
        if range_hash(self.table.hashes[term.first * HASH_SIZE : term.end * HASH_SIZE]) != term.proof:
            raise _unproved(term.xorb)
        offset = self.table.offsets[term.first]
        length = self.table.offsets[term.end] - offset
        if length != term.size:
            raise ShardRefused(
                _("The shard states %(stated)d bytes for a run of chunks that has %(real)d.")
                % {"stated": term.size, "real": length}
            )
        return Run(self.id, term.first, term.end, ByteRange(self.key, offset, length))


@dataclass(frozen=True)
class _ProvedFile:
    sha256: str
    xet_hash: str
    size: int
    runs: list[Run]


def _prove(claim: FileClaim, pool: Callable[[str], _PoolXorb]) -> _ProvedFile:
    runs: list[Run] = []
    tree, size = HashTree(), 0
    for term in claim.terms():
        xorb = pool(term.xorb)
        run = xorb.run(term)
        size += run.bytes.length
        if size > settings.MAX_FILE_BYTES:
            raise TooLarge(_("A file may have at most %(most)d bytes.") % {"most": settings.MAX_FILE_BYTES})
        for value, length in xorb.table.rows(term.first, term.end):
            tree.add(value, length)
        runs.append(run)
    if to_text(file_hash(tree.root())) != claim.xet_hash:
        raise ShardRefused(_("The chunks do not give the file hash %(hash)s.") % {"hash": claim.xet_hash})
    # The right digest stays unsaid: it would complete the claim of somebody who has no more than hashes.
    if not _is_known(claim) and _sha256_of(runs) != claim.sha256:
        raise ShardRefused(
            _("The content of a file does not have the sha256 %(sha)s that the shard states.") % {"sha": claim.sha256}
        )
    return _ProvedFile(claim.sha256, claim.xet_hash, size, runs)


def _is_known(claim: FileClaim) -> bool:
    """Say whether these chunks were read before and had this sha256: then nothing needs reading again."""
    return Blob.objects.filter(xet_hash=claim.xet_hash, sha256=claim.sha256).exists()


def _sha256_of(runs: list[Run]) -> str:
    hasher = hashlib.sha256()
    for block in pieces.read(run.bytes for run in runs):
        hasher.update(block)
    return hasher.hexdigest()


def _unproved(xorb: str) -> ShardRefused:
    """One answer for a xorb we do not have and one whose chunks the sender does not know: neither tells which."""
    return ShardRefused(
        _(
            "The xorb %(xorb)s was not uploaded, or the verification hash of a run of its chunks is wrong. "
            "Upload the xorb, then send the shard again."
        )
        % {"xorb": xorb}
    )
