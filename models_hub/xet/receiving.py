"""Uploads become content: xorbs go to the pool, shards make files of them for one repository."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import pieces, proposing, quotas
from models_hub.models import Blob, Xorb, XorbRight
from models_hub.pieces import ByteRange, Run
from models_hub.storage import blob_store
from models_hub.xet import chunk_index, possession, shards, xorbs
from models_hub.xet.bodies import Body
from models_hub.xet.chunk_index import MAX_CHUNKS_OF_FILE, ChunkPlace
from models_hub.xet.hashing import HASH_SIZE, HashTree, file_hash, range_hash, to_text
from models_hub.xet.possession import Interval
from models_hub.xet.reusing import reused_bytes
from models_hub.xet.shards import FileClaim, ShardRefused, Term
from models_hub.xet.tokens import Grant
from models_hub.xet.work import WorkBudget
from models_hub.xet.xorbs import ChunkTable, XorbReader, XorbRefused
from portal import database
from portal.errors import TooLarge

# A table takes 40 bytes a chunk, usually 1,000 chunks: this many are some 5 MB.
TABLES_HELD = 128


def receive_xorb(grant: Grant, expected_hash: str, body: Body) -> bool:
    """Put a xorb into the pool, unpacked, and give its sender the right to it; returns whether for the first time.

    Whether others have sent it makes no difference to what is done or answered. Raises XorbRefused, keeping nothing.
    """
    user = grant.sender()
    body.limit(xorbs.MAX_BODY_BYTES)
    reader, sent = XorbReader(body), body.remaining
    proposing.charge(grant.repo, user, sent)
    stored = blob_store().put(quotas.while_room(grant.repo, expected_hash, _verified(reader, expected_hash)))
    with transaction.atomic():
        account = quotas.hold(grant.repo)
        xorb, _created = Xorb.objects.get_or_create(
            hash=expected_hash,
            defaults={
                "key": stored.digest,
                "size": reader.size,
                "chunk_count": reader.chunk_count,
                "chunks": reader.table,
            },
        )
        quotas.note_xorb(account, grant.repo, xorb)
        proposing.charge(grant.repo, user, max(reader.size - sent, 0))
        return XorbRight.renew(xorb, user=user, access=grant.access)


def _verified(reader: XorbReader, expected_hash: str) -> Iterator[bytes]:
    database.let_go()  # while the body comes, from many senders at once, nothing is asked
    yield from reader
    if reader.hash() != expected_hash:
        raise XorbRefused(_("The xorb’s chunks do not have the hash in the address. Send it again."))


def receive_shard(grant: Grant, body: Body) -> None:
    """Give the repository every file that the shard describes, or none of them.

    Each file is proved: its sender may use every chunk and knows its hash, the chunks give the file's hash, and
    their bytes, which we read, its sha256. Raises ShardRefused or TooMuchWork, changing nothing.
    """
    body.limit(shards.MAX_BODY_BYTES)
    pool = _Pool(grant)
    files = [_prove(claim, pool) for claim in shards.read_files(body)]
    # In one order, so that two shards with the same files wait for each other instead of locking up.
    files.sort(key=lambda file: file.sha256)
    with transaction.atomic():
        quotas.hold(grant.repo)
        proposing.charge(grant.repo, grant.sender(), max(reused_bytes(grant.repo, files), 0))
        for file in files:
            blob = pieces.register(
                grant.repo, sha256=file.sha256, size=file.size, xet_hash=file.xet_hash, runs=file.runs
            )
            if blob.in_pieces:
                chunk_index.remember(file.known)


class _Pool:
    """The xorbs that a shard refers to, as far as its sender may use them, within what one shard may cost."""

    def __init__(self, grant: Grant) -> None:
        self._user = grant.sender()
        self._access = grant.access
        self.budget = WorkBudget()
        self.xorb = lru_cache(maxsize=TABLES_HELD)(self._load)

    def _load(self, hash: str) -> "_PoolXorb":
        xorb = Xorb.objects.filter(hash=hash).first()
        usable = possession.possessed(xorb, user=self._user, access=self._access) if xorb else []
        # One whose bytes were found damaged and set aside has to be sent again, whatever the sender remembers.
        if xorb is None or not usable or not blob_store().has(xorb.key):
            raise _unproved(hash)
        self.budget.looked_up(xorb.pk, xorb.size)
        return _PoolXorb(xorb.pk, xorb.key, ChunkTable(bytes(xorb.chunks)), usable)


@dataclass(frozen=True)
class _PoolXorb:
    """A xorb of the pool as a shard refers to it; `usable` are the chunks that the sender of the shard may use."""

    id: int
    key: str
    table: ChunkTable
    usable: list[Interval]

    def run(self, term: Term) -> Run:
        """Return the byte range of a term, once its sender has proved to know chunks that the sender may use."""
        if not term.first < term.end <= len(self.table):
            raise _unproved(term.xorb)
        if not any(first <= term.first and term.end <= end for first, end in self.usable):
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
    """A file that may be given to the repository; `known` are those of its chunks that other clients may ask for."""

    sha256: str
    xet_hash: str
    size: int
    runs: list[Run]
    known: list[ChunkPlace]


def _prove(claim: FileClaim, pool: _Pool) -> _ProvedFile:
    runs: list[Run] = []
    known: dict[bytes, ChunkPlace] = {}
    tree, size = HashTree(), 0
    for term in claim.terms():
        xorb = pool.xorb(term.xorb)
        run = xorb.run(term)
        size += run.bytes.length
        if size > settings.MAX_FILE_BYTES:
            raise TooLarge(_("A file may have at most %(most)d bytes.") % {"most": settings.MAX_FILE_BYTES})
        pool.budget.hashed(run.bytes.length, term.end - term.first)
        for index, (value, length) in enumerate(xorb.table.rows(term.first, term.end), term.first):
            tree.add(value, length)
            if (not known or chunk_index.is_asked_for(value)) and len(known) < MAX_CHUNKS_OF_FILE:
                known.setdefault(value, ChunkPlace(value, xorb.id, index))
        runs.append(run)
    if to_text(file_hash(tree.root())) != claim.xet_hash:
        raise ShardRefused(_("The chunks do not give the file hash %(hash)s.") % {"hash": claim.xet_hash})
    # The right digest stays unsaid: it would complete the claim of somebody who has no more than hashes.
    if not _is_known(claim) and _sha256_of(runs) != claim.sha256:
        raise ShardRefused(
            _("The content of a file does not have the sha256 %(sha)s that the shard states.") % {"sha": claim.sha256}
        )
    return _ProvedFile(claim.sha256, claim.xet_hash, size, runs, list(known.values()))


def _is_known(claim: FileClaim) -> bool:
    """Say whether these chunks were read before and had this sha256: then nothing needs reading again."""
    return Blob.objects.filter(xet_hash=claim.xet_hash, sha256=claim.sha256).exists()


def _sha256_of(runs: list[Run]) -> str:
    hasher = hashlib.sha256()
    for block in pieces.read(run.bytes for run in runs):
        hasher.update(block)
    return hasher.hexdigest()


def _unproved(xorb: str) -> ShardRefused:
    """One answer for a xorb we do not have, one that the sender may not use and one whose chunks it does not know.

    Clients do not send again what they remember to have sent, so the text tells how to make them forget.
    """
    return ShardRefused(
        _(
            "The xorb %(xorb)s was not uploaded, or the verification hash of a run of its chunks is wrong. "
            "If your client does not send it by itself, delete its folder of remembered uploads "
            "(“xet” in HF_HOME, mostly ~/.cache/huggingface/xet), then upload again."
        )
        % {"xorb": xorb}
    )
