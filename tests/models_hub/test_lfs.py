"""LFS: who may send what, proof of possession, wrong bodies, parts."""

import base64
import hashlib
import io
from urllib.parse import urlsplit

import pytest
from django.core import signing

from models_hub import proposing, publishing
from models_hub.git import transfers
from models_hub.models import Blob, RepoBlob
from models_hub.storage import blob_store
from models_hub.xet import tokens
from models_hub.xet.tokens import Scope
from portal.models import AccessToken
from tests.models_hub.wire import LARGE, Wire, body_of, large_row

BATCH = "/alice/bert.git/info/lfs/objects/batch"
SHA = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice)


@pytest.fixture
def wire(alice, token_of):
    return Wire(token_of(alice))


def ask(wire, *objects, operation="upload", path=BATCH, **extra):
    rows = [{"oid": oid, "size": size} for oid, size in objects]
    return wire.post(path, {"operation": operation, "transfers": ["basic", "multipart"], "objects": rows, **extra})


def where(href):
    parts = urlsplit(href)
    assert parts.netloc == "portal.example"
    return f"{parts.path}?{parts.query}"


def address_for(wire):
    return where(ask(wire, (SHA, len(LARGE))).json()["objects"][0]["actions"]["upload"]["href"])


def put(path, content):
    """As clients do it: without any credentials."""
    return Wire().call("PUT", path, content, content_type="application/octet-stream")


def stored_files():
    return [p for p in blob_store().root.rglob("*") if p.is_file()]


def test_content_is_sent_verified_and_committed(repo, wire):
    answer = ask(wire, (SHA, len(LARGE)))
    assert answer["Content-Type"] == "application/vnd.git-lfs+json"
    assert (answer.json()["transfer"], answer.json()["objects"][0]["size"]) == ("basic", len(LARGE))
    actions = answer.json()["objects"][0]["actions"]
    assert put(where(actions["upload"]["href"]), LARGE).status_code == 200
    for asker in (Wire(), wire):
        asked = {"oid": SHA, "size": len(LARGE)}
        assert asker.post(where(actions["verify"]["href"]), asked).status_code == 200
        assert asker.post(where(actions["verify"]["href"]), asked | {"oid": "1" * 64}).status_code == 403
    assert wire.post("/alice/bert.git/info/lfs/objects/verify", asked).status_code == 200
    assert wire.commit("models/alice/bert", large_row("w.bin", SHA, len(LARGE))).status_code == 200
    assert "actions" not in ask(wire, (SHA, len(LARGE))).json()["objects"][0]


def test_only_what_this_repository_holds_needs_no_upload(repo, wire, alice, charlie, make_repo):
    make_repo(charlie, "secret", private=True, files={"s.bin": LARGE})
    make_repo(alice, "other", files={"s.bin": LARGE})
    answer = ask(wire, (SHA, len(LARGE))).json()["objects"][0]
    assert "actions" in answer
    assert ask(wire, ("1" * 64, 5)).json()["objects"][0]["actions"].keys() == answer["actions"].keys()
    assert wire.post("/alice/bert.git/info/lfs/objects/verify", {"oid": SHA, "size": len(LARGE)}).status_code == 404
    assert put(address_for(wire), LARGE).status_code == 200
    assert len(stored_files()) == 1
    assert RepoBlob.objects.filter(blob__sha256=SHA).count() == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (LARGE[:-1], "Expected 600 bytes but 599 are announced"), (LARGE + b"x", "Expected 600 bytes but 601"),
        (LARGE[:-1] + b"x", "not 0d3b"), (b"", "Expected 600 bytes but"), (b"\x00" * 600, "as announced"),
    ],
)  # fmt: skip
def test_altered_or_truncated_content_is_refused_and_nothing_kept(repo, wire, body, message):
    response = put(address_for(wire), body)
    assert response.status_code == 400
    assert message.replace("0d3b", SHA[:4]) in response.json()["message"]
    assert stored_files() == []
    assert not Blob.objects.exists()


def test_a_body_that_ends_early_is_refused(repo, wire, client):
    """The length was announced in full, but the connection broke."""
    broken = {"wsgi.input": io.BytesIO(LARGE[:300]), "CONTENT_LENGTH": str(len(LARGE))}
    response = client.generic("PUT", address_for(wire), **broken)
    assert response.status_code == 400
    assert "the upload was cut off" in response.json()["message"]
    assert stored_files() == []


def test_a_grant_is_bound_to_repository_content_and_size(repo, wire, alice, make_repo):
    make_repo(alice, "other")
    path, grant = address_for(wire).split("?")
    other = hashlib.sha256(b"other").hexdigest()
    assert put(f"{path.replace(SHA, other)}?{grant}", b"other").status_code == 403
    assert put(f"{path}?grant=forged", LARGE).status_code == 403
    assert put(path, LARGE).status_code == 403
    assert put(f"{path}?{grant[:-1]}", LARGE).status_code == 403
    # The address of another repository does not matter: what was signed does.
    assert put(f"{path.replace('/bert', '/other')}?{grant}", LARGE).status_code == 200
    assert RepoBlob.objects.get().repo == repo


def test_a_grant_ends_with_its_rights(repo, alice, bob, team, make_repo, token_of):
    make_repo(alice, "shared", namespace="team", private=True)
    member = Wire(token_of(bob))
    answer = ask(member, (SHA, len(LARGE)), path="/team/shared.git/info/lfs/objects/batch").json()
    shared = where(answer["objects"][0]["actions"]["upload"]["href"])
    team.remove(bob, by=alice)
    assert put(shared, LARGE).status_code == 403
    assert stored_files() == []


def test_a_grant_ends_with_its_time_and_its_token(repo, wire, alice, settings):
    mine = address_for(wire)
    settings.SIGNED_URL_SECONDS = -1
    assert put(mine, LARGE).status_code == 403
    settings.SIGNED_URL_SECONDS = 3600
    AccessToken.objects.get(user=alice).revoke()
    assert put(mine, LARGE).status_code == 403
    assert stored_files() == []


def test_a_download_grant_uploads_nothing_and_the_other_way_round(repo, wire):
    upload = address_for(wire)
    put(upload, LARGE)
    assert Wire().get(upload).status_code == 403
    answer = ask(wire, (SHA, len(LARGE)), operation="download").json()["objects"][0]
    download = where(answer["actions"]["download"]["href"])
    assert body_of(Wire().get(download)) == LARGE
    assert put(download, LARGE).status_code == 403


def test_downloads_are_for_those_who_may_see(alice, charlie, make_repo, token_of):
    repo = make_repo(alice, private=True, files={"w.bin": LARGE})
    owner, stranger = Wire(token_of(alice, "read")), Wire(token_of(charlie))
    assert ask(stranger, (SHA, 600), operation="download").status_code == 404
    answer = ask(owner, (SHA, 600), ("1" * 64, 5), operation="download").json()["objects"]
    assert (answer[1]["error"]["code"], "actions" in answer[1]) == (404, False)
    publishing.set_private(repo, by=alice, private=False)
    public = ask(Wire(), (SHA, 600), operation="download").json()["objects"][0]
    address = where(public["actions"]["download"]["href"])
    assert body_of(Wire().get(address)) == LARGE
    publishing.set_private(repo, by=alice, private=True)
    assert Wire().get(address).status_code == 403


def test_git_gives_the_token_as_password_of_any_name(repo, alice, token_of):
    secret = token_of(alice)
    for name in ("alice", "user", "hf_user", ""):
        basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
        assert ask(Wire(), (SHA, 5)).status_code == 401
        response = Wire().post(BATCH, {"operation": "upload", "objects": []}, Authorization=f"Basic {basic}")
        assert response.status_code == 200
    for bad in ("Basic !", "Basic " + base64.b64encode(b"alice:password").decode(), "Basic " + "é", "Bearer hf_no"):
        assert Wire().post(BATCH, {"operation": "upload", "objects": []}, Authorization=bad).status_code == 401


def test_strangers_upload_for_their_pull_requests_and_only_so_much(repo, charlie, token_of, monkeypatch):
    monkeypatch.setattr(proposing, "MAX_BYTES_PER_PROPOSER", 8)
    wire = Wire(token_of(charlie))
    first, second = b"5 byt", b"others"
    for content, status in ((first, 200), (second, 507)):
        oid = hashlib.sha256(content).hexdigest()
        href = ask(wire, (oid, len(content))).json()["objects"][0]["actions"]["upload"]["href"]
        assert Wire().call("PUT", href.removeprefix("http://portal.example"), content).status_code == status


def test_anonymous_and_readers_upload_nothing(repo, alice, token_of):
    anonymous = ask(Wire(), (SHA, 5))
    assert (anonymous.status_code, anonymous["LFS-Authenticate"]) == (401, 'Basic realm="Git LFS"')
    readonly = ask(Wire(token_of(alice, "read")), (SHA, 5))
    assert readonly.status_code == 403
    assert "role “write”" in readonly.json()["message"]


@pytest.mark.parametrize(
    ("oid", "size"),
    [("x", 5), (SHA.upper(), 5), ("../../x", 5), (None, 5), (SHA, -1), (SHA, "5"), (SHA, True), (SHA, 10**15)],
)
def test_a_hostile_object_gets_an_error_of_its_own(repo, wire, oid, size):
    answer = ask(wire, (oid, size), ("1" * 64, 5)).json()["objects"]
    assert (answer[0]["error"]["code"], "actions" in answer[0]) == (422, False)
    assert "actions" in answer[1]


def test_a_wrong_size_of_known_content_is_an_error(repo, wire):
    put(address_for(wire), LARGE)
    assert ask(wire, (SHA, 601)).json()["objects"][0]["error"]["code"] == 422
    verify = wire.post("/alice/bert.git/info/lfs/objects/verify", {"oid": SHA, "size": 601})
    assert verify.status_code == 400


@pytest.mark.parametrize(
    "body",
    [{"operation": "steal", "objects": []}, {"operation": "upload"}, {"operation": "upload", "objects": [5]}, [], "{",
     {"operation": "upload", "objects": [], "hash_algo": "md5"}],
)  # fmt: skip
def test_a_malformed_batch_is_a_bad_request(repo, wire, body):
    assert wire.post(BATCH, body).status_code == 400
    assert wire.post(BATCH, {"operation": "upload", "objects": [{}] * 301}).status_code == 413


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(transfers, "MULTIPART_BYTES", 100)
    monkeypatch.setattr(transfers, "PART_BYTES", 250)


def parts_of(wire):
    upload = ask(wire, (SHA, len(LARGE))).json()["objects"][0]["actions"]["upload"]
    assert upload["header"].pop("chunk_size") == "250"
    return where(upload["href"]), {int(n): where(href) for n, href in upload["header"].items()}


def finish(path, count):
    return Wire().post(path, {"oid": SHA, "parts": [{"partNumber": n, "etag": "x"} for n in range(1, count + 1)]})


def test_large_content_comes_in_parts(repo, wire, small_parts):
    done, parts = parts_of(wire)
    assert sorted(parts) == [1, 2, 3]
    for number, path in parts.items():
        response = put(path, LARGE[(number - 1) * 250 : number * 250])
        assert (response.status_code, bool(response["ETag"])) == (200, True)
    assert finish(done, 2).status_code == 400
    assert finish(done, 3).status_code == 200
    assert finish(done, 3).status_code == 200  # the answer was lost and the client asks again
    assert Blob.objects.get().sha256 == SHA
    assert [path.name for path in stored_files()] == [SHA]


def test_an_interrupted_upload_goes_on_after_a_restart(repo, wire, small_parts):
    _done, parts = parts_of(wire)
    put(parts[1], LARGE[:250])
    again, parts = parts_of(wire)
    put(parts[2], b"\x00" * 250)
    put(parts[2], LARGE[250:500])
    assert finish(again, 3).json()["message"] == "Part 3 of the upload is missing. Send it, then finish."
    put(parts[3], LARGE[500:])
    assert finish(again, 3).status_code == 200


def test_wrong_parts_are_refused_and_nothing_kept(repo, wire, small_parts):
    done, parts = parts_of(wire)
    assert put(parts[1], LARGE[:249]).status_code == 400
    assert put(parts[3], LARGE[:250]).status_code == 400
    assert put(parts[1].replace("/parts/1", "/parts/4"), LARGE[:100]).status_code == 404
    assert put(parts[1].replace("/parts/1", "/parts/0"), LARGE[:100]).status_code == 404
    for number in (1, 2, 3):
        put(parts[number], b"\x01" * transfers.length_of_part(len(LARGE), number))
    assert finish(done, 3).status_code == 400
    assert stored_files() == []
    assert not Blob.objects.exists()


def test_part_counts_are_what_the_client_computes():
    for size in (1, transfers.PART_BYTES, transfers.PART_BYTES + 1, 50 * 1024**3, 50 * 1024**3 + 7):
        count, length = transfers.part_count(size), transfers.part_size(size)
        assert count == -(-size // length) <= 200
        assert sum(transfers.length_of_part(size, n) for n in range(1, count + 1)) == size


def test_the_answer_to_the_largest_batch_is_bounded(repo, wire, settings):
    settings.STORAGE_LIMIT_BYTES = 10**15
    rows = [{"oid": f"{number:064x}", "size": 50 * 1024**3} for number in range(300)]
    answer = wire.post(BATCH, {"operation": "upload", "transfers": ["multipart"], "objects": rows})
    assert len(answer.json()["objects"]) == 300
    assert len(answer.content) < 20_000_000


def test_git_lfs_which_offers_no_parts_gets_none(repo, wire, small_parts):
    answer = wire.post(BATCH, {"operation": "upload", "objects": [{"oid": SHA, "size": len(LARGE)}]}).json()
    assert (answer["transfer"], "header" in answer["objects"][0]["actions"]["upload"]) == ("basic", False)


def test_a_signature_made_elsewhere_is_refused(repo, wire):
    forged = signing.dumps(["upload", repo.pk, 1, 1, SHA, len(LARGE)], salt="other")
    assert put(f"/alice/bert.git/info/lfs/objects/{SHA}?grant={forged}", LARGE).status_code == 403
    for claims in ([], ["upload"], {"a": 1}, 5, None):
        strange = signing.dumps(claims, salt="models_hub.git.grants")
        assert put(f"/alice/bert.git/info/lfs/objects/{SHA}?grant={strange}", LARGE).status_code == 403


def test_who_knows_xet_is_told_to_send_through_it(repo, wire, charlie, token_of):
    """Clients of the Hub before 1.20 ask for Xet here, and `git-xet` takes its token from the answer."""
    offered = {"transfers": ["basic", "multipart", "xet"]}
    for asker, scope in ((wire, Scope.WRITE), (Wire(token_of(charlie)), Scope.PROPOSE)):
        told = ask(asker, (SHA, len(LARGE)), **offered).json()
        assert told["transfer"] == "xet"
        header = told["objects"][0]["actions"]["upload"]["header"]
        assert header["X-Xet-Cas-Url"] == "http://portal.example/cas"
        grant = tokens.read(f"Bearer {header['X-Xet-Access-Token']}")
        assert (grant.repo, grant.scope) == (repo, scope)
    put(address_for(wire), LARGE)
    told = ask(wire, (SHA, len(LARGE)), **offered).json()
    assert (told["transfer"], "actions" in told["objects"][0]) == ("basic", False)
    both = ask(wire, (SHA, len(LARGE)), ("1" * 64, 5), ("xyz", 5), **offered).json()["objects"]
    assert ["actions" in one for one in both] == [False, True, False]
    assert both[2]["error"]["code"] == 422
