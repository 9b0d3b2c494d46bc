"""The formats of Xet, held against what the real client sends, and against senders that lie."""

import hashlib
import io
import math
import os
import random
import struct
import tracemalloc
from pathlib import Path

import lz4.frame
import pytest

from models_hub.xet import shards, xorbs
from models_hub.xet.bodies import Body, CutOff
from models_hub.xet.hashing import HashTree, chunk_hash, file_hash, range_hash, to_text
from models_hub.xet.shards import ShardRefused, read_files
from models_hub.xet.xorbs import MAX_CHUNK_BYTES, ChunkTable, XorbReader, XorbRefused
from portal.errors import TooLarge
from tests.models_hub.xet_client import MadeFile, MadeXorb, header, make_shard, recorder, upload


def body_of(data: bytes, length: int | None = None) -> Body:
    return Body(io.BytesIO(data).read, len(data) if length is None else length)


def read_xorb(data: bytes) -> tuple[XorbReader, bytes]:
    reader = XorbReader(body_of(data))
    return reader, b"".join(reader)


def weights(count: int) -> bytes:
    """Numbers like those of a model, which the client groups by byte before it compresses them."""
    source = random.Random(7)
    return struct.pack(f"<{count}f", *(source.gauss(0, 0.02) for _ in range(count)))


SAMPLES = {
    "noise": random.Random(1).randbytes(700_001),
    "weights": weights(100_000),
    "text": b"".join(f"line {number} of a long and boring log\n".encode() for number in range(20_000)),
    "tiny": b"tiny",
}


@pytest.fixture(autouse=True)
def own_client_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet"))


@pytest.mark.parametrize("policy", ["auto", "none", "lz4", "bg4-lz4"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_xorb_of_the_real_client_unpacks_to_the_file_and_has_the_hash_of_its_address(
    policy: str, sample: str
) -> None:
    content = SAMPLES[sample]
    with recorder() as recording:
        upload(recording.url, [content], **{"xorb.compression_policy": policy})

    ((address, data),) = recording.xorbs.items()
    reader, raw = read_xorb(data)
    assert raw == content
    assert reader.hash() == address


def test_byte_grouping_is_undone_for_every_remainder() -> None:
    for extra in range(4):
        content = weights(5000) + bytes(range(extra))
        with recorder() as recording:
            upload(recording.url, [content], **{"xorb.compression_policy": "bg4-lz4"})
        (data,) = recording.xorbs.values()
        assert data[4] == xorbs.GROUPED_LZ4
        assert read_xorb(data)[1] == content


def test_a_shard_of_the_real_client_names_the_files_as_it_does() -> None:
    old = random.Random(2).randbytes(3_000_000)
    new = old[:1_500_000] + b"a change in the middle" + old[1_500_000:]
    with recorder() as recording:
        upload(recording.url, [old])
        (info,) = upload(recording.url, [new])  # the client refers to what it sent before

    (claim,) = read_files(body_of(recording.shards[-1]))
    assert (claim.xet_hash, claim.sha256) == (info.hash, info.sha256)
    assert claim.sha256 == hashlib.sha256(new).hexdigest()
    tree, xorbs_used = HashTree(), set()
    for term in claim.terms():
        table = ChunkTable(read_xorb(recording.xorbs[term.xorb])[0].table)
        rows = list(table.rows(term.first, term.end))
        assert range_hash(b"".join(value for value, _size in rows)) == term.proof
        assert table.offsets[term.end] - table.offsets[term.first] == term.size
        for value, size in rows:
            tree.add(value, size)
        xorbs_used.add(term.xorb)
    assert len(xorbs_used) == 2
    assert to_text(file_hash(tree.root())) == claim.xet_hash


def test_the_hashes_are_those_of_the_protocol() -> None:
    """Recorded from the real client, so that this holds without it."""
    tree = HashTree()
    tree.add(chunk_hash(b"tiny"), 4)
    root = tree.root()
    assert to_text(root) == "b261c42ee081a6970fd831947af880b0409d076ee7a19a34420e0a308a6332ca"
    assert to_text(file_hash(root)) == "6cd97ef4b5a01f8baf93e16f61a55b7df9771d885a7757e5031b763695724318"


@pytest.mark.parametrize("kept", [1, 7, 8, 9, 100])
def test_a_xorb_that_was_cut_off_is_refused(kept: int) -> None:
    data = MadeXorb((b"a" * 200, b"b" * 200)).body
    with pytest.raises((XorbRefused, CutOff)):
        read_xorb(data[:kept])


def test_a_sender_that_goes_away_is_noticed() -> None:
    data = MadeXorb((b"a" * 200,)).body
    with pytest.raises(CutOff):
        list(XorbReader(body_of(data[:100], length=len(data))))


PACKED = lz4.frame.compress(b"x" * 1000)
LIARS = {
    "an unknown version": header(4, version=1) + b"abcd",
    "an unknown compression": header(4, scheme=9) + b"abcd",
    "no bytes": header(0),
    "a length beyond a chunk's": header(MAX_CHUNK_BYTES + 1) + bytes(MAX_CHUNK_BYTES + 1),
    "a packed length beyond a chunk's": header(4, packed=2**24 - 1, scheme=1) + bytes(1000),
    "a plain chunk of another length": header(5, packed=4) + b"abcd",
    "fewer bytes unpacked than stated": header(1001, packed=len(PACKED), scheme=1) + PACKED,
    "more bytes unpacked than stated": header(999, packed=len(PACKED), scheme=1) + PACKED,
    "a second frame": header(1000, packed=2 * len(PACKED), scheme=1) + PACKED * 2,
    "half a frame": header(1000, packed=len(PACKED) - 6, scheme=1) + PACKED[:-6],
    "no frame": header(1000, packed=20, scheme=1) + bytes(20),
    "a footer alone": b"XETBLOB\0" + bytes(100),
}


@pytest.mark.parametrize("lie", LIARS)
def test_a_chunk_that_lies_is_refused(lie: str) -> None:
    with pytest.raises(XorbRefused):
        read_xorb(LIARS[lie])


def test_a_small_frame_cannot_become_a_large_allocation() -> None:
    bomb = lz4.frame.compress(bytes(40_000_000), block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    data = header(MAX_CHUNK_BYTES, packed=len(bomb), scheme=1) + bomb
    tracemalloc.start()
    with pytest.raises(XorbRefused):
        read_xorb(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_xorb_is_read_in_little_memory() -> None:
    chunk = os.urandom(MAX_CHUNK_BYTES)
    data = (header(len(chunk)) + chunk) * 200
    tracemalloc.start()
    size = sum(len(part) for part in XorbReader(body_of(data)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 200 * MAX_CHUNK_BYTES
    assert peak < 10 * MAX_CHUNK_BYTES


def test_a_xorb_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xorbs, "MAX_CHUNKS", 3)
    assert read_xorb(MadeXorb((b"a",) * 3).body)[0].chunk_count == 3
    with pytest.raises(XorbRefused):
        read_xorb(MadeXorb((b"a",) * 4).body)
    monkeypatch.setattr(xorbs, "MAX_XORB_BYTES", 10)
    with pytest.raises(XorbRefused):
        read_xorb(MadeXorb((b"abcdef", b"abcde")).body)


def test_a_footer_after_the_chunks_is_skipped() -> None:
    xorb = MadeXorb((b"abc", b"def"))
    reader, raw = read_xorb(xorb.body + b"XETBLOB\0" + bytes(500))
    assert raw == b"abcdef"
    assert reader.hash() == xorb.hash


def test_an_announced_length_over_the_limit_is_refused_before_reading() -> None:
    with pytest.raises(TooLarge):
        body_of(b"", length=101).limit(100)


XORB = MadeXorb((b"abc", b"defg"))
SHA256 = hashlib.sha256(XORB.raw).hexdigest()
GOOD = MadeFile(XORB.chunks, SHA256, [XORB.term()])


def test_a_made_shard_reads_back() -> None:
    (claim,) = read_files(body_of(make_shard(GOOD)))
    assert claim.sha256 == SHA256
    (term,) = claim.terms()
    assert (term.xorb, term.size, term.first, term.end) == (XORB.hash, 7, 0, 2)


@pytest.mark.parametrize("kept", [0, 47, 48, 60, 96, 143, 150, 200, 240])
def test_a_shard_that_was_cut_off_is_refused(kept: int) -> None:
    shard = make_shard(GOOD)
    with pytest.raises(CutOff):
        list(read_files(body_of(shard[:kept])))


@pytest.mark.parametrize(
    "shard",
    [
        bytes(200),
        make_shard(GOOD).replace(struct.pack("<QQ", 2, 0), struct.pack("<QQ", 3, 0)),
        make_shard(MadeFile(XORB.chunks, SHA256, [XORB.term()], flags=1 << 30)),
        make_shard(MadeFile(XORB.chunks, SHA256, [XORB.term()], flags=1 << 31)),
        make_shard(MadeFile(XORB.chunks, SHA256, [])),
        make_shard(MadeFile(XORB.chunks, SHA256, [XORB.term()], count=2**32 - 1)),
    ],
    ids=["no tag", "other version", "no proofs", "no sha256", "no terms", "endless terms"],
)
def test_a_shard_of_another_form_is_refused(shard: bytes) -> None:
    with pytest.raises(ShardRefused):
        list(read_files(body_of(shard)))


def test_the_terms_of_all_files_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_TERMS", 2)
    assert len(list(read_files(body_of(make_shard(GOOD, GOOD))))) == 2
    with pytest.raises(ShardRefused):
        list(read_files(body_of(make_shard(GOOD, GOOD, GOOD))))


def test_the_hash_tree_holds_few_nodes_however_long_the_file() -> None:
    tree = HashTree()
    for number in range(20_000):
        tree.add(chunk_hash(number.to_bytes(4, "little")), 1)
    assert sum(map(len, tree._levels)) <= 9 * math.ceil(math.log(20_000, 3))
