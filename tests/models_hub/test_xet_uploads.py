"""Uploads by Xet, through its addresses: what becomes content of a repository, and what never does."""

import json
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.test import Client

from models_hub import contents
from models_hub.models import Blob, Piece, Repo, RepoBlob, Xorb
from models_hub.storage import blob_store
from models_hub.storage.local import LocalBlobStore
from models_hub.xet.hashing import chunk_hash
from portal.models import User
from tests.models_hub.xet_client import MadeFile, MadeXorb, make_shard, recorder, sha256, upload, whole
from tests.models_hub.xet_sender import Sender

MakeRepo = Callable[..., Repo]
Answer = Any
NOISE = random.Random(3)
FIRST = MadeXorb(tuple(NOISE.randbytes(size) for size in (1000, 2000, 3000)))
SECOND = MadeXorb(tuple(NOISE.randbytes(size) for size in (500, 700)))
ONE_CHUNK = MadeXorb((NOISE.randbytes(800),))


@pytest.fixture
def sender(alice: User, make_repo: MakeRepo) -> Sender:
    return Sender(make_repo(alice, "hers", private=True), alice)


@pytest.fixture
def stranger(charlie: User, make_repo: MakeRepo) -> Sender:
    return Sender(make_repo(charlie, "his"), charlie)


def stored_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def content_of(repo: Repo, digest: str) -> bytes:
    return b"".join(contents.stream(contents.held_by(repo, [digest])[digest]))


def event_of(answer: Answer) -> dict[str, Any]:
    (line,) = answer.content.splitlines()
    event: dict[str, Any] = json.loads(line)
    return event


def nothing_was_registered(repo: Repo) -> bool:
    return not Blob.objects.exists() and not Piece.objects.exists() and not RepoBlob.objects.filter(repo=repo).exists()


class TestXorbs:
    def test_a_xorb_is_kept_once_and_unpacked(self, sender: Sender, own_blob_folder: Path) -> None:
        assert sender.xorb(FIRST).json() == {"was_inserted": True}
        assert sender.xorb(FIRST).json() == {"was_inserted": False}
        xorb = Xorb.objects.get()
        assert (xorb.hash, xorb.key, xorb.size, xorb.chunk_count) == (FIRST.hash, sha256(FIRST.raw), 6000, 3)
        (file,) = stored_files(own_blob_folder)
        assert file.read_bytes() == FIRST.raw

    def test_a_xorb_alone_gives_the_repository_nothing(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        assert nothing_was_registered(sender.repo)

    def test_a_crash_after_storing_leaves_what_the_next_upload_takes(
        self, sender: Sender, own_blob_folder: Path
    ) -> None:
        blob_store().put([FIRST.raw])
        assert sender.shard(whole(FIRST)).status_code == 400
        assert sender.xorb(FIRST).json() == {"was_inserted": True}
        assert len(stored_files(own_blob_folder)) == 1

    def test_what_has_another_hash_is_refused_and_leaves_nothing(self, sender: Sender, own_blob_folder: Path) -> None:
        answer = sender.xorb(FIRST, body=SECOND.body)
        assert answer.status_code == 400
        assert answer.json()["code"] == "bad_xorb"
        assert not Xorb.objects.exists()
        assert stored_files(own_blob_folder) == []

    @pytest.mark.parametrize("body", [b"", b"nonsense", FIRST.body[:-1], FIRST.body + b"\0"])
    def test_a_damaged_xorb_is_refused_and_leaves_nothing(
        self, sender: Sender, own_blob_folder: Path, body: bytes
    ) -> None:
        assert sender.xorb(FIRST, body=body).status_code == 400
        assert not Xorb.objects.exists()
        assert stored_files(own_blob_folder) == []

    def test_a_hash_does_not_tell_whether_the_xorb_is_here(self, sender: Sender, stranger: Sender) -> None:
        unknown = stranger.xorb(FIRST, body=SECOND.body)
        sender.xorb(FIRST)
        known = stranger.xorb(FIRST, body=SECOND.body)
        assert (unknown.status_code, unknown.content) == (known.status_code, known.content)

    def test_a_lost_file_comes_back_with_the_next_upload(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        blob_store().delete(sha256(FIRST.raw))
        assert sender.xorb(FIRST).status_code == 200
        assert blob_store().has(sha256(FIRST.raw))

    @pytest.mark.parametrize("hash", ["abc", "g" * 64, "A" * 64, "0" * 65])
    def test_an_address_without_a_hash_is_refused(self, sender: Sender, hash: str) -> None:
        assert sender.post(f"v1/xorbs/default/{hash}", FIRST.body).status_code == 400

    def test_a_body_over_the_limit_is_refused(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("models_hub.xet.xorbs.MAX_BODY_BYTES", 100)
        assert sender.xorb(FIRST).status_code == 413


class TestFiles:
    def test_a_file_becomes_content_of_the_repository_alone(self, sender: Sender, stranger: Sender) -> None:
        sender.xorb(FIRST)
        assert sender.shard(whole(FIRST)).json() == {"result": 1}
        blob = Blob.objects.get()
        assert (blob.sha256, blob.size, blob.in_pieces) == (sha256(FIRST.raw), 6000, True)
        assert blob.xet_hash == whole(FIRST).hash
        assert content_of(sender.repo, blob.sha256) == FIRST.raw
        assert contents.held_by(stranger.repo, [blob.sha256]) == {}

    def test_a_file_may_be_made_of_parts_of_many_xorbs(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        sender.xorb(SECOND)
        chunks = [*FIRST.chunks[1:], *SECOND.chunks, *FIRST.chunks[:1], *FIRST.chunks[:1]]
        terms = [FIRST.term(1), SECOND.term(), FIRST.term(0, 1), FIRST.term(0, 1)]
        raw = b"".join(chunks)
        assert sender.shard(MadeFile(chunks, sha256(raw), terms)).status_code == 200

        blob = Blob.objects.get(sha256=sha256(raw))
        assert list(blob.pieces.order_by("index").values_list("position", "offset", "length")) == [
            (0, 1000, 5000), (5000, 0, 1200), (6200, 0, 1000), (7200, 0, 1000),
        ]  # fmt: skip
        edges = [0, 1, 4999, 5000, 5001, 6199, 6200, 6201, 7199, 7200, 8199, 8200]
        for start in edges:
            assert b"".join(contents.stream(blob, start)) == raw[start:]
            for end in edges:
                length = max(end - start, 0)
                assert b"".join(contents.stream(blob, start, length)) == raw[start : start + length]

    def test_many_pieces_are_read_with_few_queries_and_open_files(
        self,
        sender: Sender,
        django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sender.xorb(FIRST)
        sender.xorb(SECOND)
        terms = [FIRST.term(0, 1)] * 900 + [SECOND.term(0, 1)] * 900
        chunks = [FIRST.chunks[0]] * 900 + [SECOND.chunks[0]] * 900
        raw = b"".join(chunks)
        assert sender.shard(MadeFile(chunks, sha256(raw), terms)).status_code == 200
        blob = Blob.objects.get(sha256=sha256(raw))
        opened: list[str] = []

        def note_and_open(store: LocalBlobStore, key: str) -> BinaryIO:
            opened.append(key)
            return store.path(key).open("rb")

        monkeypatch.setattr(LocalBlobStore, "open", note_and_open)
        with django_assert_num_queries(2):
            assert b"".join(contents.stream(blob)) == raw
        assert opened == [sha256(FIRST.raw), sha256(SECOND.raw)]
        with django_assert_num_queries(1):
            assert b"".join(contents.stream(blob, len(raw) - 700)) == raw[-700:]

    def test_many_files_come_in_one_shard_some_of_them_twice(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        sender.xorb(SECOND)
        files = [whole(FIRST), whole(SECOND), whole(FIRST)]
        assert sender.shard(*files).status_code == 200
        assert sender.shard(*files).status_code == 200
        assert Blob.objects.count() == RepoBlob.objects.count() == Piece.objects.count() == 2

    def test_who_has_the_same_content_shares_the_copy(
        self, sender: Sender, stranger: Sender, own_blob_folder: Path
    ) -> None:
        for each in (sender, stranger):
            each.xorb(FIRST)
            assert each.shard(whole(FIRST)).status_code == 200
        assert Blob.objects.count() == Piece.objects.count() == 1
        assert len(stored_files(own_blob_folder)) == 1
        assert content_of(stranger.repo, sha256(FIRST.raw)) == FIRST.raw

    def test_known_content_is_not_read_again(self, sender: Sender, stranger: Sender, own_blob_folder: Path) -> None:
        sender.xorb(FIRST)
        sender.shard(whole(FIRST))
        stranger.xorb(FIRST)
        LocalBlobStore(own_blob_folder).path(sha256(FIRST.raw)).write_bytes(b"")
        assert stranger.shard(whole(FIRST)).status_code == 200

    def test_content_that_came_whole_is_linked(self, sender: Sender, stranger: Sender) -> None:
        contents.receive(stranger.repo, [FIRST.raw])
        sender.xorb(FIRST)
        assert sender.shard(whole(FIRST)).status_code == 200
        assert not Blob.objects.get().in_pieces
        assert content_of(sender.repo, sha256(FIRST.raw)) == FIRST.raw

    def test_content_that_comes_whole_later_leaves_the_xorb_alone(self, sender: Sender, stranger: Sender) -> None:
        """A file that is exactly one xorb has the xorb's key: removing the second copy would remove the first."""
        sender.xorb(FIRST)
        sender.shard(whole(FIRST))
        for announced in (sha256(FIRST.raw), None):
            contents.receive(stranger.repo, [FIRST.raw], sha256=announced)
            assert content_of(sender.repo, sha256(FIRST.raw)) == FIRST.raw


WRONG = {
    "a size below the real one": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(size=5999)]),
    "a size above the real one": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(size=2**32 - 1)]),
    "an end beyond the xorb": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(end=4)]),
    "the last number as end": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(end=2**32 - 1)]),
    "a start beyond the end": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(first=2, end=1)]),
    "no chunks": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(first=1, end=1)]),
    "an unknown xorb": MadeFile(SECOND.chunks, sha256(SECOND.raw), [SECOND.term()]),
    "another proof": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(proof=bytes(32))]),
    "the proof of a part": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(proof=FIRST.term(0, 2).proof)]),
    "another file hash": whole(FIRST, xet_hash="0" * 64),
    "the xorb hash as file hash": whole(FIRST, xet_hash=FIRST.hash),
    "another sha256": whole(FIRST, sha256=sha256(b"other")),
    "chunks left out": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(0, 2)]),
    "chunks in another order": MadeFile(FIRST.chunks, sha256(FIRST.raw), [FIRST.term(1, 3), FIRST.term(0, 1)]),
}


@pytest.mark.parametrize("lie", WRONG)
def test_a_shard_that_lies_is_refused_and_changes_nothing(sender: Sender, lie: str) -> None:
    sender.xorb(FIRST)
    sender.xorb(ONE_CHUNK)
    answer = sender.shard(whole(ONE_CHUNK), WRONG[lie])
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_shard"
    assert nothing_was_registered(sender.repo)


def test_a_file_over_the_limit_is_refused(sender: Sender, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 5999
    sender.xorb(FIRST)
    assert sender.shard(whole(FIRST)).status_code == 413
    assert nothing_was_registered(sender.repo)


def test_a_xorb_of_somebody_else_cannot_be_claimed_by_its_hash(sender: Sender, stranger: Sender) -> None:
    """Charlie has learnt the names of a private file: of its xorb, its hash, its size, even its sha256."""
    sender.xorb(FIRST)
    sender.shard(whole(FIRST))
    guessed = FIRST.term(proof=chunk_hash(b"a guess"))
    claim = MadeFile(FIRST.chunks, sha256(FIRST.raw), [guessed])
    known = stranger.shard(claim)
    assert known.status_code == 400
    assert not RepoBlob.objects.filter(repo=stranger.repo).exists()

    Piece.objects.all().delete()
    Xorb.objects.all().delete()
    assert stranger.shard(claim).content == known.content, "the answer tells that the xorb is here"


def test_a_wrong_sha256_is_not_corrected(sender: Sender) -> None:
    """The right one would complete the claim of somebody who has hashes only."""
    sender.xorb(FIRST)
    assert sha256(FIRST.raw) not in sender.shard(whole(FIRST, sha256="0" * 64)).content.decode()


class TestAddresses:
    def test_version_2_of_the_shard_address_tells_the_end_by_an_event(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        good = sender.post("v2/shards", make_shard(whole(FIRST)))
        assert (good.status_code, event_of(good)) == (200, {"type": "result"})
        bad = sender.post("v2/shards", make_shard(whole(SECOND)))
        assert bad.status_code == 200
        assert event_of(bad) | {"message": ""} == {"type": "error", "message": "", "retryable": False}
        assert "was not uploaded" in event_of(bad)["message"]

    @pytest.mark.parametrize("path", [f"v1/xorbs/default/{FIRST.hash}", "shards", "v1/shards", "v2/shards"])
    def test_an_upload_needs_a_token(self, sender: Sender, path: str) -> None:
        sender.token = "nonsense"
        answer = sender.post(path, FIRST.body)
        assert answer.status_code == 401
        assert answer.json()["code"] == "xet_token_invalid"

    @pytest.mark.parametrize("path", [f"v1/xorbs/default/{FIRST.hash}", "shards", "v1/shards", "v2/shards"])
    def test_reading_is_not_possible_here(self, db: None, path: str) -> None:
        for method in ("get", "head", "put", "delete"):
            assert getattr(Client(), method)(f"/cas/{path}").status_code == 405

    @pytest.mark.parametrize("path", [f"v1/xorb-grants/default/{'0' * 64}", "v1/xorb-commits/default/x", "x"])
    def test_the_rest_of_the_api_is_not_found(self, sender: Sender, path: str) -> None:
        assert sender.post(path, b"{}").status_code == 404
        answer = Client().get(f"/cas/{path}")
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/json"

    def test_a_person_who_lost_the_right_cannot_finish(self, stranger: Sender, alice: User) -> None:
        taken = Sender(stranger.repo, alice)
        assert taken.xorb(FIRST).status_code == 403
        assert not Xorb.objects.exists()


def test_what_the_real_client_sends_becomes_the_file(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions of a file: the second refers to the first one's xorb, which is not sent again."""
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet"))
    old = random.Random(4).randbytes(3_000_000)
    new = old[:1_500_000] + b"a change in the middle" + old[1_500_000:]
    with recorder() as recording:
        upload(recording.url, [old, b"small"])
        upload(recording.url, [new])
    for address, body in recording.xorbs.items():
        assert sender.post(f"v1/xorbs/default/{address}", body).status_code == 200
    for shard in recording.shards:
        assert event_of(sender.post("v2/shards", shard)) == {"type": "result"}

    for content in (old, new, b"small"):
        assert content_of(sender.repo, sha256(content)) == content
    assert Xorb.objects.count() == 2


def test_what_clients_report_of_their_uploads_is_dropped_quietly() -> None:
    answer = Client(enforce_csrf_checks=True).post("/v1/telemetry", '{"event": "upload"}', "application/json")
    assert (answer.status_code, answer.content) == (204, b"")
