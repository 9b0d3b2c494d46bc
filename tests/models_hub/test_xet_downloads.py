"""Downloads by Xet: how a file is put together, in whole and in ranges, and whom its addresses serve."""

import random
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.test import Client

from models_hub import contents
from models_hub.hf_api import xet_tokens
from models_hub.models import AccessRequest, Repo, RepoBlob, Xorb
from models_hub.xet import fetching, reconstructing
from models_hub.xet.tokens import Scope
from portal.models import AccessToken, User
from tests.models_hub.wire import Wire, body_of, large_row
from tests.models_hub.xet_client import MadeFile, MadeXorb, sha256, whole
from tests.models_hub.xet_sender import Sender, fetched, parts_of, put_together, unpacked

MakeRepo = Callable[..., Repo]
Queries = Callable[[int], AbstractContextManager[object]]
NOISE = random.Random(5)
FIRST = MadeXorb(tuple(NOISE.randbytes(size) for size in (1000, 2000, 3000, 500, 700)))
SECOND = MadeXorb(tuple(NOISE.randbytes(size) for size in (400, 600)))
# Chunks 1 to 4 of one xorb in two runs with a gap, a whole other one in between, and a chunk twice.
CHUNKS = (*FIRST.chunks[1:3], *SECOND.chunks, *FIRST.chunks[4:], FIRST.chunks[1])
RAW = b"".join(CHUNKS)
MIXED = MadeFile(CHUNKS, sha256(RAW), [FIRST.term(1, 3), SECOND.term(), FIRST.term(4), FIRST.term(1, 2)])


@pytest.fixture
def reader(alice: User, make_repo: MakeRepo) -> Sender:
    """Alice with a read token, in a private repository that has the file."""
    repo = make_repo(alice, "hers", private=True)
    sender = Sender(repo, alice)
    sender.xorb(FIRST)
    sender.xorb(SECOND)
    assert sender.shard(MIXED).status_code == 200
    return Sender(repo, alice, Scope.READ)


def first_address(plan: dict[str, Any]) -> tuple[str, list[dict[str, int]]]:
    entry = plan["xorbs"][FIRST.hash][0]
    return entry["url"], [one["bytes"] for one in entry["ranges"]]


class TestPlans:
    @pytest.mark.parametrize("version", [1, 2])
    def test_a_file_comes_back_by_its_plan(self, reader: Sender, version: int) -> None:
        plan = reader.plan(MIXED.hash, version).json()
        assert plan["offset_into_first_range"] == 0
        assert put_together(plan) == RAW

    def test_a_chunk_is_fetched_once_and_a_gap_not_at_all(self, reader: Sender) -> None:
        plan = reader.plan(MIXED.hash).json()
        chunks = {
            xorb: [one["chunks"] for entry in of for one in entry["ranges"]] for xorb, of in plan["xorbs"].items()
        }
        assert chunks == {
            FIRST.hash: [{"start": 1, "end": 3}, {"start": 4, "end": 5}],
            SECOND.hash: [{"start": 0, "end": 2}],
        }
        assert [term["range"] for term in plan["terms"]] == [
            {"start": 1, "end": 3}, {"start": 0, "end": 2}, {"start": 4, "end": 5}, {"start": 1, "end": 2},
        ]  # fmt: skip

    @pytest.mark.parametrize("version", [1, 2])
    def test_a_range_gives_no_more_chunks_than_it_touches(self, reader: Sender, version: int) -> None:
        for start, end in ((0, 1), (0, 2000), (1999, 2001), (2500, 5000), (2000, 2001), (6699, 6700), (4999, 8700)):
            plan = reader.plan(MIXED.hash, version, f"bytes={start}-{end - 1}").json()
            got = put_together(plan)[: end - start]
            assert got == RAW[start:end], (start, end)
        plan = reader.plan(MIXED.hash, version, "bytes=2500-4999").json()
        assert plan["terms"] == [{"hash": FIRST.hash, "unpacked_length": 3000, "range": {"start": 2, "end": 3}}]
        assert plan["offset_into_first_range"] == 500

    @pytest.mark.parametrize("end", ["", str(2**64 - 2), str(len(RAW) * 2)])
    def test_a_range_may_end_beyond_the_file(self, reader: Sender, end: str) -> None:
        assert put_together(reader.plan(MIXED.hash, 2, f"bytes=100-{end}").json()) == RAW[100:]

    def test_a_range_beyond_the_file_is_told_apart(self, reader: Sender) -> None:
        assert reader.plan(MIXED.hash, 2, f"bytes={len(RAW)}-{len(RAW) + 5}").status_code == 416

    @pytest.mark.parametrize("wrong", ["bytes=5-4", "bytes=-5", "bytes=a-b", "items=0-1", "bytes=0-1,3-4"])
    def test_a_malformed_range_is_refused(self, reader: Sender, wrong: str) -> None:
        assert reader.plan(MIXED.hash, 2, wrong).status_code == 400

    def test_a_plan_takes_as_many_queries_for_a_long_file(
        self, reader: Sender, alice: User, django_assert_max_num_queries: Queries
    ) -> None:
        chunks = (FIRST.chunks[0], SECOND.chunks[0]) * 400
        terms = (FIRST.term(0, 1), SECOND.term(0, 1)) * 400
        long = MadeFile(chunks, sha256(*chunks), terms)
        assert Sender(reader.repo, alice).shard(long).status_code == 200
        for file in (MIXED, long):
            with django_assert_max_num_queries(8):
                assert reader.plan(file.hash, 2, "bytes=5-1000").status_code == 200

    @pytest.mark.parametrize("version", [1, 2])
    def test_a_file_in_very_many_pieces_is_told_part_by_part(
        self, reader: Sender, monkeypatch: pytest.MonkeyPatch, version: int
    ) -> None:
        monkeypatch.setattr(reconstructing, "MAX_TERMS", 3)
        refused = reader.plan(MIXED.hash, version)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_many_terms")
        first, rest = (reader.plan(MIXED.hash, version, f"bytes={part}").json() for part in ("0-5999", "6000-"))
        assert put_together(first)[:6000] + put_together(rest)[: len(RAW) - 6000] == RAW

    def test_many_ranges_go_into_several_addresses(self, reader: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetching, "MAX_RANGES", 1)
        plan = reader.plan(MIXED.hash).json()
        assert [len(entry["ranges"]) for entry in plan["xorbs"][FIRST.hash]] == [1, 1]
        assert put_together(plan) == RAW


class TestWhoMayAsk:
    def test_an_unknown_file_one_of_another_repository_and_one_kept_whole_look_the_same(
        self, reader: Sender, alice: User, make_repo: MakeRepo
    ) -> None:
        other = Sender(make_repo(alice, "other"), alice, Scope.READ)
        contents.receive(other.repo, [b"whole" * 100])
        missing, hidden = other.plan("0" * 64), other.plan(MIXED.hash)
        assert (missing.status_code, missing.content) == (hidden.status_code, hidden.content)
        assert missing.status_code == 404
        RepoBlob.objects.filter(repo=reader.repo).delete()
        assert reader.plan(MIXED.hash).content == missing.content

    def test_without_a_token_nothing_is_told(self, reader: Sender) -> None:
        for token in ("", "nonsense"):
            reader.token = token
            assert reader.plan(MIXED.hash).status_code == 401

    def test_a_repository_that_became_private_is_gone_for_others(self, reader: Sender, charlie: User) -> None:
        Repo.objects.filter(pk=reader.repo.pk).update(private=False)
        readers = [Sender(reader.repo, user, Scope.READ) for user in (charlie, AnonymousUser())]
        addresses = [first_address(each.plan(MIXED.hash).json()) for each in readers]
        assert [fetched(*address).status_code for address in addresses] == [206, 206]
        Repo.objects.filter(pk=reader.repo.pk).update(private=True)
        assert [each.plan(MIXED.hash).status_code for each in readers] == [404, 404]
        assert [fetched(*address).status_code for address in addresses] == [403, 403]

    def test_a_gated_repository_serves_whom_it_let_in(self, reader: Sender, charlie: User) -> None:
        Repo.objects.filter(pk=reader.repo.pk).update(private=False, gated=Repo.Gate.MANUAL)
        outside = Sender(reader.repo, charlie, Scope.READ)
        assert outside.plan(MIXED.hash).status_code == 403
        AccessRequest.objects.create(repo=reader.repo, user=charlie, status=AccessRequest.Status.ACCEPTED)
        assert put_together(outside.plan(MIXED.hash).json()) == RAW


class TestAddresses:
    def test_one_range_is_the_chunks_behind_their_headers(self, reader: Sender) -> None:
        (entry,) = reader.plan(MIXED.hash).json()["xorbs"][SECOND.hash]
        answer = fetched(entry["url"], [one["bytes"] for one in entry["ranges"]])
        body = body_of(answer)
        assert (answer.status_code, body) == (206, SECOND.body)
        assert answer["Content-Length"] == str(len(body))
        assert answer["Content-Range"] == f"bytes 0-{len(body) - 1}/{len(body)}"

    def test_several_ranges_come_in_parts(self, reader: Sender) -> None:
        answer = fetched(*first_address(reader.plan(MIXED.hash).json()))
        assert answer["Content-Type"].startswith("multipart/byteranges; boundary=")
        length = int(answer["Content-Length"])
        parts = parts_of(answer)
        assert [unpacked(part) for part in parts] == [list(FIRST.chunks[1:3]), list(FIRST.chunks[4:])]
        heads = 2 * len(f"\r\n--{'0' * 32}\r\nContent-Type: application/octet-stream\r\n\r\n") + len(
            f"\r\n--{'0' * 32}--\r\n"
        )
        assert length > sum(map(len, parts)) + heads

    def test_the_ranges_of_an_address_may_be_fetched_one_by_one(self, reader: Sender) -> None:
        url, ranges = first_address(reader.plan(MIXED.hash).json())
        bodies = [body_of(fetched(url, [one])) for one in reversed(ranges)]
        assert [unpacked(body) for body in bodies] == [list(FIRST.chunks[4:]), list(FIRST.chunks[1:3])]

    def test_large_runs_are_cut_at_chunks_only(self, alice: User, make_repo: MakeRepo) -> None:
        """More than one block is read at once, of chunks that do not fill it evenly."""
        large = MadeXorb(tuple(NOISE.randbytes(size) for size in [128 * 1024, 100_000, 9000] * 12))
        sender = Sender(make_repo(alice), alice)
        (file,) = sender.send(large)
        assert put_together(sender.plan(file.hash).json()) == large.raw

    def test_an_address_gives_its_own_ranges_alone(self, reader: Sender) -> None:
        url, ranges = first_address(reader.plan(MIXED.hash).json())
        for other in (
            [],
            [{"start": 0, "end": ranges[0]["end"]}, *ranges[1:]],
            [{"start": ranges[0]["start"], "end": ranges[1]["end"]}],
            [{"start": ranges[0]["start"], "end": ranges[0]["end"] - 1}],
            [{"start": 0, "end": len(FIRST.body) - 1}],
        ):
            answer = fetched(url, other)
            assert (answer.status_code, answer.json()["code"]) == (403, "bad_signature")
        assert Client().get(url.removeprefix("http://testserver")).status_code == 403

    def test_an_address_is_good_for_its_own_xorb_alone(self, reader: Sender) -> None:
        plan = reader.plan(MIXED.hash).json()
        url, ranges = first_address(plan)
        assert fetched(url.replace(FIRST.hash, SECOND.hash), ranges).status_code == 403
        assert fetched(url.replace("grant=", "grant=x"), ranges).status_code == 403
        everything = {"start": 0, "end": len(FIRST.body) - 1}
        other = url.replace("ranges=", f"ranges=0-{everything['end']},")
        assert fetched(other, [everything]).status_code == 403
        assert fetched(url.partition("?")[0], ranges).status_code == 403

    def test_an_address_ends(self, reader: Sender, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        address = first_address(reader.plan(MIXED.hash).json())
        later = time.time() + settings.SIGNED_URL_SECONDS + 1
        monkeypatch.setattr(signing.time, "time", lambda: later)
        assert fetched(*address).status_code == 403

    def test_an_address_ends_with_the_access_token(self, reader: Sender, alice: User) -> None:
        access, _secret = AccessToken.issue(user=alice, name="laptop", role="read")
        held = Sender(reader.repo, alice, Scope.READ, access=access)
        address = first_address(held.plan(MIXED.hash).json())
        assert fetched(*address).status_code == 206
        access.revoke()
        assert fetched(*address).status_code == 403

    def test_an_address_ends_with_the_right_of_the_repository(self, reader: Sender) -> None:
        address = first_address(reader.plan(MIXED.hash).json())
        RepoBlob.objects.filter(repo=reader.repo).delete()
        assert fetched(*address).status_code == 403

    def test_a_signature_for_something_else_opens_nothing(self, reader: Sender) -> None:
        url, ranges = first_address(reader.plan(MIXED.hash).json())
        address, _grant, signature = url.partition("grant=")
        forged = signing.dumps(signing.loads(signature, salt=fetching.SALT), salt="another purpose")
        assert fetched(f"{address}grant={forged}", ranges).status_code == 403

    @pytest.mark.parametrize("path", ["v1/reconstructions/", "v2/reconstructions/", "v1/fetch/", "v1/chunks/default/"])
    def test_they_answer_to_get_and_to_hashes(self, reader: Sender, path: str) -> None:
        assert reader.post(path + "0" * 64, b"").status_code == 405
        assert reader.get(path + "nothing").status_code == 400


class TestLeadingThere:
    """What the hub's wire says of Xet, so that clients go there."""

    @pytest.fixture
    def wire(self, reader: Sender, token_of: Callable[..., str], alice: User, monkeypatch: pytest.MonkeyPatch) -> Wire:
        monkeypatch.setattr(xet_tokens, "MIN_DOWNLOAD_BYTES", len(RAW))
        contents.receive(reader.repo, [RAW + b"more, and whole"])
        wire = Wire(token_of(alice))
        rows = [large_row("pieces.bin", sha256(RAW)), large_row("whole.bin", sha256(RAW + b"more, and whole"))]
        assert wire.commit("models/alice/hers", *rows).status_code == 200
        return wire

    def test_the_headers_name_hash_and_token(self, wire: Wire) -> None:
        for call in (wire.head, wire.get):
            response = call("/alice/hers/resolve/main/pieces.bin")
            route = f"http://portal.example/api/models/alice/hers/xet-read-token/{response['X-Repo-Commit']}"
            assert response["X-Xet-Hash"] == MIXED.hash
            assert response["X-Xet-Refresh-Route"] == route
            assert response["Link"] == f'<{route}>; rel="xet-auth"'
        assert body_of(wire.get("/alice/hers/resolve/main/pieces.bin")) == RAW
        token = wire.get(route.removeprefix("http://portal.example"))
        assert token["X-Xet-Cas-Url"] == token.json()["casUrl"] == "http://portal.example/cas"

    def test_a_file_kept_whole_and_a_small_one_are_had_by_http(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "X-Xet-Hash" not in wire.head("/alice/hers/resolve/main/whole.bin")
        monkeypatch.setattr(xet_tokens, "MIN_DOWNLOAD_BYTES", len(RAW) + 1)
        assert "X-Xet-Hash" not in wire.head("/alice/hers/resolve/main/pieces.bin")

    def test_the_tree_names_the_hash(self, wire: Wire) -> None:
        rows = {row["path"]: row for row in wire.get("/api/models/alice/hers/tree/main").json()}
        assert rows["pieces.bin"]["xetHash"] == MIXED.hash
        assert "xetHash" not in rows["whole.bin"]

    def test_a_stranger_gets_no_token(self, wire: Wire, token_of: Callable[..., str], charlie: User) -> None:
        for path in ("xet-read-token/main", "xet-write-token/main", "xet-write-token/None?create_pr=1"):
            hidden = Wire(token_of(charlie)).get(f"/api/models/alice/hers/{path}")
            missing = Wire(token_of(charlie)).get(f"/api/models/alice/none/{path}")
            assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
            assert hidden.status_code == 404

    def test_whoever_may_read_may_propose_but_not_write(
        self, wire: Wire, token_of: Callable[..., str], charlie: User
    ) -> None:
        Repo.objects.update(private=False)
        his = Wire(token_of(charlie))
        assert his.get("/api/models/alice/hers/xet-read-token/main").status_code == 200
        assert his.get("/api/models/alice/hers/xet-write-token/main").status_code == 403
        assert his.get("/api/models/alice/hers/xet-write-token/None?create_pr=1").status_code == 200
        assert (
            Wire(token_of(charlie, "read")).get("/api/models/alice/hers/xet-write-token/None?create_pr=1").status_code
            == 403
        )
        assert Wire().get("/api/models/alice/hers/xet-read-token/main").status_code == 200
        assert Wire().get("/api/models/alice/hers/xet-write-token/None?create_pr=1").status_code == 401


def test_a_whole_xorb_is_served_as_it_was_sent(alice: User, make_repo: MakeRepo) -> None:
    sender = Sender(make_repo(alice), alice)
    (file,) = sender.send(FIRST)
    (entry,) = sender.plan(file.hash, 1).json()["fetch_info"][FIRST.hash]
    assert body_of(fetched(entry["url"], [entry["url_range"]])) == FIRST.body
    assert file == whole(FIRST)


def test_a_block_that_is_being_sent_is_all_that_is_kept_of_its_bytes(alice: User, make_repo: MakeRepo) -> None:
    """Many threads wait for their clients at once, each with what it holds."""
    large = MadeXorb(tuple(NOISE.randbytes(size) for size in [128 * 1024] * 6))
    Sender(make_repo(alice), alice).send(large)
    xorb = fetching.OpenXorb(Xorb.objects.get(hash=large.hash))
    stream = xorb.stream([xorb.part(0, xorb.size)])
    _part, blocks = next(stream)
    tracemalloc.start()
    block = next(blocks)
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fetching.BLOCK <= len(block) <= held < 1.5 * len(block)
