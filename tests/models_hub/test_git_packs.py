"""Packs read and written: what git makes is understood byte for byte, what only an enemy makes is refused."""

import random
import zlib

import pytest

from models_hub import publishing
from models_hub.git import objects, packing, packs
from models_hub.git.deltas import DeltaRefused
from models_hub.git.formats import FormatRefused
from models_hub.git.graph import History
from models_hub.git.pack_entries import PackRefused
from models_hub.git.packs import Limits, PackTooLarge
from models_hub.models import GitObject
from models_hub.publishing import PutFile
from tests.models_hub.gitpacks import (
    BLOB,
    COMMIT,
    ID_DELTA,
    OFFSET_DELTA,
    TAG,
    TREE,
    WHO,
    Work,
    commit_of,
    delta,
    entry,
    head,
    oid_of,
    pack_of,
    tree_of,
)  # fmt: skip

HELLO = oid_of(BLOB, b"hello")


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice)


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path / "work")


def take(repo, pack, **limits):
    """Read a pack in small blocks and return its ids."""
    blocks = (pack[start : start + 1000] for start in range(0, len(pack), 1000))
    with packs.receive(repo, blocks, Limits(**limits)) as incoming:
        return set(incoming)


def lines(seed, count=3000):
    return b"".join(b"%d %d\n" % (n, random.Random(seed * 10_000 + n).getrandbits(64)) for n in range(count))


def test_every_object_of_a_pack_that_git_made_is_read_and_kept(repo, work):
    text = lines(1)
    for n in range(6):
        work.commit({"a.txt": text + b"%d" % n, "d/b.txt": text[n * 100 :], "c": b"%d" % n})
    work.git("tag", "-a", "v1", "-m", "one")
    pack = work.pack("v1", options=("--delta-base-offset",))
    with packs.receive(repo, iter([pack])) as incoming:
        assert set(incoming) == work.ids("v1")
        assert incoming.get(work.head("HEAD:a.txt")) == (BLOB, len(text) + 1)
        assert incoming.body(work.head("HEAD:a.txt")) == text + b"5"
        incoming.store(repo)
        incoming.store(repo)
    for oid in work.ids("v1"):
        row = GitObject.objects.get(repo=repo, oid=oid)
        assert oid_of(row.type, objects.body(row)) == oid
        assert row.size == len(objects.body(row))


def test_a_thin_pack_builds_on_rows_of_this_repository_only(repo, work, alice, make_repo):
    first = work.commit({"a.txt": lines(1)})
    work.commit({"a.txt": lines(1) + b"more"})
    thin = work.pack("HEAD", f"^{first}", options=("--thin",))
    other = make_repo(alice, "other")
    for holder in (other, repo):
        with pytest.raises(PackRefused, match="does not have"):
            take(repo, thin)
        with packs.receive(holder, iter([work.pack(first)])) as incoming:
            incoming.store(holder)
    assert work.head("HEAD:a.txt") in take(repo, thin)


def test_deltas_come_in_any_order_and_on_each_other(repo):
    chain = [b"x" * 300 + b"%d" % n for n in range(5)]
    made = [
        entry(
            ID_DELTA, delta(301, 301, b"\xb0\x2c\x01" + b"\x01%d" % n), base=bytes.fromhex(oid_of(BLOB, chain[n - 1]))
        )
        for n in range(4, 0, -1)
    ]
    assert take(repo, pack_of(*made, entry(BLOB, chain[0]))) == {oid_of(BLOB, body) for body in chain}
    assert take(repo, pack_of(entry(BLOB, chain[0]), *made)) == {oid_of(BLOB, body) for body in chain}
    with pytest.raises(PackRefused, match="chains"):
        take(repo, pack_of(*made, entry(BLOB, chain[0])), depth=3)


@pytest.mark.parametrize(
    "pack",
    [
        b"", b"PACK", pack_of()[:-1], pack_of() + b"x", b"X" + pack_of()[1:], pack_of(entry(BLOB, b"a"))[:-21],
        pack_of(entry(BLOB, b"a"), count=2), pack_of(entry(BLOB, b"a"), entry(BLOB, b"b"), count=1),
        pack_of(entry(BLOB, b"hello", size=4)), pack_of(entry(BLOB, b"hello", size=6)), pack_of(entry(0, b"a")),
        pack_of(entry(5, b"a")), pack_of(b"\xbf" + b"\xff" * 20), pack_of(head(BLOB, 5) + b"nothing compressed"),
        pack_of(head(BLOB, 5) + zlib.compress(b"hello")[:-2]), pack_of(entry(OFFSET_DELTA, b"aaaa", base=b"\x05")),
        pack_of(entry(BLOB, b"hello"), entry(OFFSET_DELTA, delta(5, 5, b"\x90\x05"), base=b"\x00")),
        pack_of(entry(ID_DELTA, delta(5, 5, b"\x90\x05"), base=b"\x01" * 20)),
        pack_of(entry(OFFSET_DELTA, b"aaaa", base=b"\xff" * 12 + b"\x01")),
    ],
)  # fmt: skip
def test_a_broken_pack_is_refused(repo, pack):
    before = GitObject.objects.count()
    with pytest.raises(PackRefused):
        take(repo, pack)
    assert GitObject.objects.count() == before


@pytest.mark.parametrize(
    "orders",
    [b"", b"\x00", b"\x05abc", b"\x91\x01\x05", b"\x90\x04\x90\x05", b"\x90\x06", b"\x80", b"\x90", b"\xf0\xff\xff\xff",
     b"\x05hello\x05hello", b"\x8f\xff\xff\xff\xff\x01a"],
)  # fmt: skip
def test_a_delta_that_lies_is_refused(repo, orders):
    base = bytes.fromhex(HELLO)
    with pytest.raises(DeltaRefused):
        take(repo, pack_of(entry(BLOB, b"hello"), entry(ID_DELTA, delta(5, 5, orders), base=base)))
    for wrong in (delta(4, 4, b"\x90\x04"), delta(2**40, 5, b"\x90\x05"), b"\x05", b"\xff" * 20):
        with pytest.raises(DeltaRefused):
            take(repo, pack_of(entry(BLOB, b"hello"), entry(ID_DELTA, wrong, base=base)))


def test_bombs_are_refused_before_they_go_off(repo, settings):
    big = zlib.compress(bytes(8_000_000))
    tree = head(TREE, 60_000_000) + zlib.compress(bytes(60_000_000))
    with pytest.raises(PackTooLarge, match="60000000"):
        take(repo, pack_of(tree))
    with pytest.raises(PackTooLarge, match="unpacks to more"):
        take(repo, pack_of(*[head(BLOB, 8_000_000) + big] * 50), unpacked_bytes=20_000_000)
    copies = b"".join(b"\xf0\x00\x12\x7a" for _ in range(5))
    bomb = entry(ID_DELTA, delta(8_000_000, 40_000_000, copies), base=bytes.fromhex(oid_of(BLOB, bytes(8_000_000))))
    with pytest.raises(PackTooLarge, match="40000000"):
        take(repo, pack_of(head(BLOB, 8_000_000) + big, bomb))
    with pytest.raises(PackRefused):
        take(repo, pack_of(head(BLOB, 10) + big))
    with pytest.raises(PackTooLarge, match="at most 10"):
        take(repo, pack_of(entry(BLOB, b"a"), count=2**32 - 1), objects=10)
    with pytest.raises(PackTooLarge, match="bytes outside LFS"):
        take(repo, pack_of(*[entry(BLOB, random.Random(1).randbytes(5000))] * 50), packed_bytes=100_000)
    with pytest.raises(PackTooLarge, match="too long to unpack"):
        take(repo, pack_of(entry(BLOB, b"a")), seconds=-1.0)


def test_a_file_too_long_for_git_is_hashed_but_not_kept(repo, settings):
    settings.LFS_THRESHOLD_BYTES = 1000
    body = b"x" * 1001
    on_it = entry(ID_DELTA, delta(1001, 3, b"\x90\x03"), base=bytes.fromhex(oid_of(BLOB, body)))
    with packs.receive(repo, iter([pack_of(entry(BLOB, body), on_it, entry(BLOB, b"a"))])) as incoming:
        assert incoming.large == {oid_of(BLOB, body): 1001}
        assert set(incoming) == {oid_of(BLOB, b"a")}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (TREE, tree_of(("100644", b"b", HELLO), ("100644", b"a", HELLO))),
        (TREE, tree_of(("100644", b"a", HELLO), ("100644", b"a", HELLO))),
        (TREE, tree_of(("100644", b"a", HELLO), ("100644", b"a.b", HELLO), ("40000", b"a", HELLO))),
        (TREE, tree_of(("040000", b"a", HELLO))), (TREE, tree_of(("100644", b"", HELLO))),
        (TREE, tree_of(("100644", b"a/b", HELLO))), (TREE, b"100644 a\0short"), (TREE, b"100644 a"), (TREE, b"\0" * 40),
        (TREE, tree_of(("999999", b"a", HELLO))), (TREE, tree_of(*[("100644", b"%06d" % n, HELLO) for n in range(51)])),
        (COMMIT, b""), (COMMIT, commit_of("x" * 40)), (COMMIT, commit_of(HELLO, message=b"a\0b")),
        (COMMIT, commit_of(HELLO, author=b"A <a@b> 99999999999999999999 +0000")),
        (COMMIT, commit_of(HELLO, author=b"A <a@b> 999999999999999 +0000")),
        (COMMIT, commit_of(HELLO, author=b"A a@b 1 +0000")), (COMMIT, commit_of(HELLO, author=b"A <a@b> 01 +0000")),
        (COMMIT, commit_of(HELLO).replace(b"committer", b"committed")),
        (TAG, b"object " + HELLO.encode() + b"\ntype file\ntag v1\n\n"), (TAG, b"tag"),
    ],
)  # fmt: skip
def test_what_fsck_would_complain_of_does_not_come_in(repo, kind, body):
    with pytest.raises(FormatRefused):
        take(repo, pack_of(entry(kind, body)), tree_entries=50)


def test_well_formed_objects_come_in(repo):
    tag = b"object " + HELLO.encode() + b"\ntype commit\ntag v1\ntagger " + WHO + b"\n\nfirst\n"
    signed = commit_of(HELLO).replace(b"\n\n", b"\ngpgsig -----BEGIN\n abc\n \n -----END\n\n", 1)
    assert len(take(repo, pack_of(entry(TAG, tag), entry(COMMIT, signed), entry(TREE, b""), entry(BLOB, b"")))) == 4


def test_a_pack_that_is_written_is_what_git_reads(repo, alice, make_repo, work):
    full = make_repo(alice, "full", files={"README.md": "# Hi", "a/b/c.txt": lines(2), "w.bin": b"\0" * 600})
    pack = b"".join(packing.write(full, [full.head]))
    work.git("index-pack", "--stdin", "--strict", "--fsck-objects", input=pack)
    assert work.git("cat-file", "-p", f"{full.head}:a/b/c.txt") == lines(2)
    work.git("update-ref", "refs/heads/main", full.head)
    work.git("fsck", "--strict", "--full")
    assert len(work.ids("main")) == len(pack_ids(full, [full.head]))


def pack_ids(repo, wants, haves=(), **options):
    return take(repo, b"".join(packing.write(repo, wants, haves, **options)))


def test_only_what_the_client_lacks_is_sent(alice, make_repo):
    repo = make_repo(alice, files={"a.txt": "1", "d/b.txt": "2"})
    old = repo.head
    new = publishing.commit(repo=repo, by=alice, changes=[PutFile("d/c.txt", b"3")], title="more").oid
    assert pack_ids(repo, [new], [new]) == set()
    sent = pack_ids(repo, [new], [old])
    assert len(sent) == 4  # the commit, two folders, one file
    assert oid_of(BLOB, b"3") in sent
    assert pack_ids(repo, [new], ["1" * 40]) == pack_ids(repo, [new])
    cut = pack_ids(repo, [new], only={new})
    assert len(cut) == 7  # the commit, two folders, four files
    assert pack_ids(repo, [new], [new], shallow={new}) == set()
    assert len(pack_ids(repo, [new], [new], only=History(repo).reach([new]), shallow={new})) == 8  # older ones


def test_a_partial_clone_gets_what_it_asks_for(alice, make_repo):
    repo = make_repo(alice, files={"a.txt": "12345", "d/b.txt": "1"})
    everything = pack_ids(repo, [repo.head])
    small, long = oid_of(BLOB, b"1"), oid_of(BLOB, b"12345")
    none = pack_ids(repo, [repo.head], filter=packing.Filter(blob_limit=0))
    assert not {small, long} & none
    some = pack_ids(repo, [repo.head], filter=packing.Filter(blob_limit=5))
    assert (small in some, long in some) == (True, False)
    commits = pack_ids(repo, [repo.head], filter=packing.Filter(tree_depth=0))
    assert len(commits) == 2
    assert pack_ids(repo, [repo.head], filter=packing.Filter(tree_depth=3)) == everything
    assert pack_ids(repo, [small, long]) == {small, long}
