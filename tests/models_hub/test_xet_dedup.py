"""Questions for known chunks, and what may be built without sending: nothing of what the asker may not read."""

import json
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from models_hub import proposing
from models_hub.models import AccessRequest, Blob, KnownChunk, Piece, Repo, RepoBlob, Xorb, XorbRight
from models_hub.storage import blob_store
from models_hub.xet import chunk_index, deduplicating, work
from models_hub.xet.hashing import chunk_hash
from models_hub.xet.tokens import Scope
from portal.models import AccessToken, Organization, User
from portal.reach import Level
from tests.models_hub.xet_client import MadeFile, MadeXorb, make_shard, sha256, whole
from tests.models_hub.xet_sender import Sender, told_xorbs

MakeRepo = Callable[..., Repo]
Queries = Callable[[int], AbstractContextManager[object]]
NOISE = random.Random(6)
FIRST = MadeXorb(tuple(NOISE.randbytes(size) for size in (1000, 2000, 3000, 900)))
SECOND = MadeXorb(tuple(NOISE.randbytes(size) for size in (500, 700)))
ONE_CHUNK = MadeXorb((NOISE.randbytes(800),))


def hashes(*chunks: bytes) -> list[bytes]:
    return [chunk_hash(chunk) for chunk in chunks]


@pytest.fixture(autouse=True)
def no_hints_yet(db: None) -> None:
    cache.clear()


@pytest.fixture
def sender(alice: User, make_repo: MakeRepo) -> Sender:
    return Sender(make_repo(alice, "hers", private=True), alice)


@pytest.fixture
def stranger(charlie: User, make_repo: MakeRepo) -> Sender:
    return Sender(make_repo(charlie, "his"), charlie)


def publish(sender: Sender) -> None:
    Repo.objects.filter(pk=sender.repo.pk).update(private=False)


class TestQuestions:
    def test_the_first_chunk_of_a_file_leads_to_all_its_xorbs(self, sender: Sender, stranger: Sender) -> None:
        sender.xorb(FIRST)
        sender.xorb(SECOND)
        chunks = (*FIRST.chunks, *SECOND.chunks)
        assert sender.shard(MadeFile(chunks, sha256(*chunks), [FIRST.term(), SECOND.term()])).status_code == 200
        publish(sender)
        answer = stranger.chunk(FIRST.chunks[0])
        assert answer.status_code == 200
        told, expires = told_xorbs(answer.content)
        assert {one.hash: one.chunks for one in told} == {
            FIRST.hash: hashes(*FIRST.chunks),
            SECOND.hash: hashes(*SECOND.chunks),
        }
        assert 0 < expires - timezone.now().timestamp() <= 2 * deduplicating.GOOD_FOR_SECONDS

    def test_what_was_told_may_be_used_without_sending_it(self, sender: Sender, stranger: Sender) -> None:
        sender.send(FIRST)
        publish(sender)
        assert stranger.chunk(FIRST.chunks[0]).status_code == 200
        assert stranger.shard(whole(FIRST)).status_code == 200
        assert RepoBlob.objects.filter(repo=stranger.repo).exists()

    def test_a_chunk_of_private_content_is_as_unknown_as_any(self, sender: Sender, stranger: Sender) -> None:
        sender.send(FIRST)
        hidden, missing = stranger.chunk(FIRST.chunks[0]), stranger.chunk(b"nowhere")
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
        assert hidden.status_code == 404
        assert sender.chunk(FIRST.chunks[0]).status_code == 200

    def test_of_a_xorb_only_what_may_be_read_is_told(
        self, sender: Sender, stranger: Sender, make_repo: MakeRepo
    ) -> None:
        """A public file has some chunks of a xorb whose others are private: not even their hashes show."""
        (_private,) = sender.send(FIRST)
        public = Sender(make_repo(User.objects.get(username="alice"), "public"), User.objects.get(username="alice"))
        part = FIRST.chunks[1:3]
        assert public.shard(MadeFile(part, sha256(*part), [FIRST.term(1, 3)])).status_code == 200
        (told,), _expires = told_xorbs(stranger.chunk(FIRST.chunks[1]).content)
        assert told.chunks == [bytes(32), *hashes(*part)]
        assert stranger.chunk(FIRST.chunks[0]).status_code == 404

    def test_a_gated_repository_is_asked_in_vain(self, sender: Sender, stranger: Sender, charlie: User) -> None:
        sender.send(FIRST)
        Repo.objects.filter(pk=sender.repo.pk).update(private=False, gated=Repo.Gate.MANUAL)
        assert stranger.chunk(FIRST.chunks[0]).status_code == 404
        assert stranger.shard(whole(FIRST)).status_code == 400
        AccessRequest.objects.create(repo=sender.repo, user=charlie, status=AccessRequest.Status.ACCEPTED)
        assert stranger.chunk(FIRST.chunks[0]).status_code == 200

    def test_a_deleted_file_is_no_longer_told(self, sender: Sender, stranger: Sender) -> None:
        sender.send(FIRST)
        publish(sender)
        assert stranger.chunk(FIRST.chunks[0]).status_code == 200
        RepoBlob.objects.filter(repo=sender.repo).delete()
        assert stranger.chunk(FIRST.chunks[0]).status_code == 404

    def test_a_reader_has_nothing_to_ask(self, sender: Sender, alice: User) -> None:
        sender.send(FIRST)
        assert Sender(sender.repo, alice, Scope.READ).chunk(FIRST.chunks[0]).status_code == 403
        sender.token = "nonsense"
        assert sender.chunk(FIRST.chunks[0]).status_code == 401

    def test_chunks_that_clients_ask_for_are_remembered(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chunk_index, "is_asked_for", lambda value: value == chunk_hash(FIRST.chunks[2]))
        sender.send(FIRST)
        assert list(KnownChunk.objects.order_by("index").values_list("index", flat=True)) == [0, 2]

    def test_a_question_takes_as_many_queries_whatever_is_there(
        self, sender: Sender, stranger: Sender, django_assert_max_num_queries: Queries
    ) -> None:
        sender.send(FIRST)
        publish(sender)
        for number in range(30):
            chunks = (FIRST.chunks[0], *SECOND.chunks, FIRST.chunks[number % 4])
            terms = [FIRST.term(0, 1), SECOND.term(), FIRST.term(number % 4, number % 4 + 1)]
            sender.xorb(SECOND)
            assert sender.shard(MadeFile(chunks, sha256(*chunks), terms)).status_code == 200
        with django_assert_max_num_queries(10):
            assert stranger.chunk(FIRST.chunks[0]).status_code == 200

    @pytest.mark.parametrize(("number", "asked"), [(0, True), (1024, True), (512, False), (1, False), (1025, False)])
    def test_one_chunk_in_1024_is_asked_for(self, number: int, asked: bool) -> None:
        value = b"\xab" * 24 + (number + (7 << 32)).to_bytes(8, "little")
        assert chunk_index.is_asked_for(value) is asked


class TestHints:
    def test_whoever_begins_an_unknown_file_is_told_what_the_repository_has(self, sender: Sender) -> None:
        sender.send(FIRST, SECOND)
        told, _expires = told_xorbs(sender.chunk(b"a new beginning").content)
        assert {one.hash for one in told} == {FIRST.hash, SECOND.hash}

    def test_but_not_for_each_file_of_a_folder(self, sender: Sender) -> None:
        assert sender.chunk(b"nothing to tell yet").status_code == 404
        sender.send(FIRST)
        assert [sender.chunk(bytes([number])).status_code for number in range(3)] == [200, 404, 404]

    def test_and_not_of_other_repositories(self, sender: Sender, alice: User, make_repo: MakeRepo) -> None:
        sender.send(FIRST)
        assert Sender(make_repo(alice, "empty"), alice).chunk(b"a new beginning").status_code == 404


class TestPossession:
    """Whoever knows hashes alone has nothing, whatever is claimed and by which way."""

    def test_a_xorb_of_one_chunk_cannot_be_claimed_by_its_hash(self, sender: Sender, stranger: Sender) -> None:
        """Its hash is its chunk's, so that the proof and the file's hash follow; even the sha256 is known."""
        sender.send(ONE_CHUNK)
        claim = whole(ONE_CHUNK)
        assert claim.terms[0].xorb == ONE_CHUNK.hash
        known = stranger.shard(claim)
        assert known.status_code == 400
        assert not RepoBlob.objects.filter(repo=stranger.repo).exists()
        assert stranger.plan(claim.hash).status_code == 404
        Piece.objects.all().delete()
        Xorb.objects.all().delete()
        assert stranger.shard(claim).content == known.content, "the answer tells that the xorb is here"

    def test_nor_can_one_of_many_chunks_whose_hashes_are_all_known(self, sender: Sender, stranger: Sender) -> None:
        sender.send(FIRST)
        assert stranger.shard(whole(FIRST)).status_code == 400
        assert b"was not uploaded" in stranger.post("v2/shards", make_shard(whole(FIRST))).content

    def test_sending_the_bytes_gives_the_right(self, sender: Sender, stranger: Sender) -> None:
        sender.send(FIRST)
        assert stranger.xorb(FIRST).json() == {"was_inserted": True}
        assert stranger.xorb(FIRST).json() == {"was_inserted": False}
        assert stranger.shard(whole(FIRST)).status_code == 200
        assert Xorb.objects.count() == Blob.objects.count() == 1

    def test_the_sender_may_use_the_bytes_in_every_repository(
        self, sender: Sender, alice: User, make_repo: MakeRepo
    ) -> None:
        sender.xorb(FIRST)
        assert Sender(make_repo(alice, "second"), alice).shard(whole(FIRST)).status_code == 200

    def test_a_collaborator_may_use_what_both_may_read(
        self, team: Organization, alice: User, bob: User, charlie: User, make_repo: MakeRepo
    ) -> None:
        theirs = Sender(make_repo(alice, "theirs", namespace="team", private=True), alice)
        theirs.send(FIRST)
        his = Sender(make_repo(bob, "his"), bob)
        assert his.shard(whole(FIRST)).status_code == 200
        bob.memberships.all().delete()
        RepoBlob.objects.filter(repo=his.repo).delete()
        assert his.shard(whole(FIRST)).status_code == 400

    def test_of_a_xorb_only_the_chunks_of_readable_files_may_be_used(
        self, sender: Sender, stranger: Sender, alice: User, make_repo: MakeRepo
    ) -> None:
        sender.send(FIRST)
        public = Sender(make_repo(alice, "public"), alice)
        for first, end in ((0, 1), (1, 2), (3, 4)):
            part = FIRST.chunks[first:end]
            assert public.shard(MadeFile(part, sha256(*part), [FIRST.term(first, end)])).status_code == 200
        for first, end, status in ((0, 2, 200), (1, 2, 200), (3, 4, 200), (2, 3, 400), (0, 3, 400), (1, 4, 400)):
            part = FIRST.chunks[first:end]
            claim = MadeFile(part, sha256(*part), [FIRST.term(first, end)])
            assert stranger.shard(claim).status_code == status, (first, end)

    def test_a_limited_token_has_what_was_sent_with_it(self, alice: User, make_repo: MakeRepo) -> None:
        hidden, given = make_repo(alice, "hidden", private=True), make_repo(alice, "given", private=True)
        Sender(hidden, alice).send(FIRST)
        access = AccessToken.objects.create(user=alice, name="app", role=AccessToken.Role.FINE_GRAINED, digest="d")
        access.grants.create(namespace=given.namespace, repo_id=given.pk, level=Level.WRITE, label="given")
        limited = Sender(given, alice, access=access)
        assert limited.chunk(FIRST.chunks[0]).status_code == 404
        assert limited.shard(whole(FIRST)).status_code == 400
        assert limited.xorb(FIRST).status_code == 200
        assert limited.shard(whole(FIRST)).status_code == 200

    @pytest.mark.parametrize("is_given", [False, True])
    def test_a_limited_token_opens_the_gated_repositories_that_it_was_given(
        self, alice: User, make_repo: MakeRepo, is_given: bool
    ) -> None:
        gated, own = make_repo(alice, "gated"), make_repo(alice, "own")
        Sender(gated, alice).send(FIRST)
        Repo.objects.filter(pk=gated.pk).update(gated=Repo.Gate.MANUAL)
        access = AccessToken.objects.create(user=alice, name="app", role=AccessToken.Role.FINE_GRAINED, digest="d")
        for repo in (own, gated) if is_given else (own,):
            access.grants.create(namespace=repo.namespace, repo_id=repo.pk, level=Level.WRITE, label=repo.name)
        limited = Sender(own, alice, access=access)
        assert limited.chunk(FIRST.chunks[0]).status_code == (200 if is_given else 404)
        assert limited.shard(whole(FIRST)).status_code == (200 if is_given else 400)

    def test_whoever_proposes_may_send_but_a_reader_may_not(self, sender: Sender, charlie: User) -> None:
        publish(sender)
        proposer = Sender(sender.repo, charlie, Scope.PROPOSE)
        assert proposer.xorb(SECOND).status_code == 200
        assert proposer.shard(whole(SECOND)).status_code == 200
        reading = Sender(sender.repo, charlie, Scope.READ)
        assert reading.xorb(FIRST).status_code == 403
        assert reading.shard(whole(SECOND)).status_code == 403


class TestProposals:
    """What strangers make of bytes that they need not send costs the owner as much as what they send."""

    def test_what_is_only_referred_to_counts_too(
        self, sender: Sender, alice: User, charlie: User, make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sender.send(FIRST)
        publish(sender)
        monkeypatch.setattr(proposing, "MAX_BYTES_PER_PROPOSER", 2 * len(FIRST.raw) - 1)
        proposer = Sender(make_repo(alice, "target"), charlie, Scope.PROPOSE)
        assert proposer.shard(whole(FIRST)).status_code == 200
        assert proposer.shard(whole(FIRST)).status_code == 200, "the same again costs nothing"
        backwards = FIRST.chunks[::-1]
        terms = [FIRST.term(number, number + 1) for number in reversed(range(len(backwards)))]
        answer = proposer.shard(MadeFile(backwards, sha256(*backwards), terms))
        assert (answer.status_code, answer.json()["code"]) == (507, "quota_exceeded")

    def test_what_was_sent_counts_once(
        self, alice: User, charlie: User, make_repo: MakeRepo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proposing, "MAX_BYTES_PER_PROPOSER", len(SECOND.body))
        proposer = Sender(make_repo(alice, "target"), charlie, Scope.PROPOSE)
        assert proposer.send(SECOND)


class TestWork:
    def test_a_shard_cannot_make_us_read_the_same_bytes_over_and_over(
        self, sender: Sender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(work, "ALWAYS_ALLOWED", 0)
        monkeypatch.setattr(work, "PER_CHUNK", 0)
        sender.xorb(FIRST)
        assert sender.shard(self.repeated(work.REPEATS)).status_code == 200
        opened: list[str] = []
        monkeypatch.setattr(type(blob_store()), "open", lambda _store, key: opened.append(key))
        answer = sender.shard(self.repeated(work.REPEATS + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "too_repetitive")
        assert opened == []

    def test_nor_to_count_the_same_small_chunks(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(work, "ALWAYS_ALLOWED", 10 * work.PER_CHUNK)
        dust = MadeXorb((b"a", b"b"))
        sender.xorb(dust)
        claim = MadeFile(dust.chunks * 6, sha256(dust.raw * 6), [dust.term()] * 6)
        assert sender.shard(claim).status_code == 413

    def test_nor_to_look_up_the_same_xorbs_in_turn(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(work, "ALWAYS_ALLOWED", 5 * work.PER_LOOKUP)
        monkeypatch.setattr("models_hub.xet.receiving.TABLES_HELD", 1)
        sender.xorb(FIRST)
        sender.xorb(SECOND)
        turns = 20
        claim = MadeFile(
            (FIRST.chunks[0], SECOND.chunks[0]) * turns,
            sha256((FIRST.chunks[0] + SECOND.chunks[0]) * turns),
            [FIRST.term(0, 1), SECOND.term(0, 1)] * turns,
        )
        assert sender.shard(claim).status_code == 413

    @staticmethod
    def repeated(times: int) -> MadeFile:
        return MadeFile(FIRST.chunks * times, sha256(FIRST.raw * times), [FIRST.term()] * times)


class TestCollecting:
    def test_a_xorb_is_unreferenced_when_no_file_uses_it_and_nobody_sent_it_lately(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        (_file,) = sender.send(SECOND)
        now = timezone.now()
        assert not Xorb.objects.unreferenced(before=now - timedelta(days=30)).exists()
        long_ago = now - timedelta(days=40)
        Xorb.objects.update(created_at=long_ago)
        XorbRight.objects.update(renewed_at=long_ago)
        assert [xorb.hash for xorb in self.old(now)] == [FIRST.hash]
        sender.xorb(FIRST)
        assert not self.old(now).exists()

    def test_a_client_that_refers_to_a_collected_xorb_is_told_what_to_do(self, sender: Sender) -> None:
        sender.xorb(FIRST)
        Xorb.objects.all().delete()
        message = json.loads(sender.post("v2/shards", make_shard(whole(FIRST))).content)["message"]
        assert FIRST.hash in message
        assert "delete its folder of remembered uploads" in message
        assert sender.send(FIRST)

    @staticmethod
    def old(now: Any) -> Any:
        return Xorb.objects.unreferenced(before=now - timedelta(days=30))
