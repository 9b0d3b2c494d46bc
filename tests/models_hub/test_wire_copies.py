"""Copies, squashes, and large files removed for good."""

import hashlib
import json
import struct

import pytest

from models_hub import copying, purging, quotas, squashing
from models_hub.models import Commit, QuotaAccount, Ref, Repo, RepoBlob
from models_hub.publishing import Delete, PutFile, commit
from models_hub.referencing import create_branch, create_tag
from tests.models_hub.test_publishing import safetensors
from tests.models_hub.wire import LARGE, Wire, body_of, file_row, large_row

BASE = "/api/models/alice/bert"
DIGEST = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice, files={"README.md": "---\nlicense: mit\n---\n", "a.txt": "a", "d/w.bin": LARGE})


def is_exact(*names):
    """The ledger says what is held, row by row."""
    accounts = QuotaAccount.objects.filter(namespace__name__in=names)
    return all(account.used == quotas.recount(account.namespace_id) for account in accounts)


def test_a_duplicate_has_the_files_of_the_head_as_one_commit(repo, charlie, token_of):
    wire = Wire(token_of(charlie))
    shown = wire.post(f"{BASE}/duplicate", {"repository": "charlie/copy"}).json()
    assert (shown["url"], shown["filesCopyPending"]) == ("http://portal.example/charlie/copy", False)
    trees = [
        Wire().get(f"/api/models/{name}/tree/main?recursive=true").json() for name in ("alice/bert", "charlie/copy")
    ]
    assert trees[0] == trees[1]
    assert body_of(Wire().get("/charlie/copy/resolve/main/d/w.bin")) == LARGE
    assert Wire().get("/api/models/charlie/copy").json()["cardData"] == {"license": "mit"}
    commits = Wire().get("/api/models/charlie/copy/commits/main").json()
    assert [row["title"] for row in commits] == ["Duplicate from alice/bert", "initial commit"]
    assert is_exact("alice", "charlie")


def test_a_duplicate_is_as_private_as_its_source_unless_told(repo, alice, token_of):
    Repo.objects.update(private=True)
    wire = Wire(token_of(alice))
    wire.post(f"{BASE}/duplicate", {"repository": "alice/one"})
    wire.post(f"{BASE}/duplicate", {"repository": "alice/two", "visibility": "public"})
    assert [repo.private for repo in Repo.objects.order_by("id")] == [True, True, False]


def test_a_duplicate_needs_a_free_name_and_rights(repo, alice, charlie, token_of):
    taken = Wire(token_of(alice)).post(f"{BASE}/duplicate", {"repository": "alice/bert"})
    assert (taken.status_code, taken.json()["url"]) == (409, "http://portal.example/alice/bert")
    for body, status in (({"repository": "alice/x"}, 403), ({"repository": "x"}, 400), ({}, 400)):
        assert Wire(token_of(charlie)).post(f"{BASE}/duplicate", body).status_code == status
    assert Wire().post(f"{BASE}/duplicate", {"repository": "alice/x"}).status_code == 401
    Repo.objects.update(private=True)
    hidden = Wire(token_of(charlie)).post(f"{BASE}/duplicate", {"repository": "charlie/x"})
    assert hidden["X-Error-Code"] == "RepoNotFound"


def test_a_duplicate_that_does_not_fit_leaves_nothing(repo, charlie, token_of):
    QuotaAccount.objects.create(namespace=charlie.namespace, limit=quotas.held_by(repo) - 100)
    assert Wire(token_of(charlie)).post(f"{BASE}/duplicate", {"repository": "charlie/copy"}).status_code == 413
    assert Repo.objects.count() == 1
    assert is_exact("charlie")


def test_a_static_space_is_duplicated(alice, charlie, token_of):
    Wire(token_of(alice)).post("/api/repos/create", {"name": "demo", "type": "space", "sdk": "static"})
    made = Wire(token_of(charlie)).post("/api/spaces/alice/demo/duplicate", {"repository": "charlie/demo"})
    assert made.json()["url"] == "http://portal.example/spaces/charlie/demo"


def test_a_squashed_branch_has_one_commit_and_the_same_files(repo, alice, token_of):
    commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"b")], title="More")
    before = Wire().get(f"{BASE}/tree/main").json()
    made = Wire(token_of(alice)).post(f"{BASE}/super-squash/main", {"message": "All of it"}).json()
    assert [row["title"] for row in Wire().get(f"{BASE}/commits/main").json()] == ["All of it"]
    assert Wire().get(f"{BASE}/tree/main").json() == before
    assert Wire().get(BASE).json()["sha"] == made["commitOid"]
    assert Wire().get(BASE).json()["cardData"] == {"license": "mit"}
    assert is_exact("alice")


def test_another_branch_is_squashed_without_the_default_one(repo, alice, token_of):
    create_branch(repo, by=alice, name="feature/x")
    Wire(token_of(alice)).post(f"{BASE}/super-squash/feature%2Fx", {})
    assert len(Wire().get(f"{BASE}/commits/feature%2Fx").json()) == 1
    assert len(Wire().get(f"{BASE}/commits/main").json()) == 2


def test_squashing_needs_a_writer_a_branch_and_a_message(repo, alice, charlie, token_of):
    assert Wire(token_of(charlie)).post(f"{BASE}/super-squash/main", {"message": "x"}).status_code == 403
    missing = Wire(token_of(alice)).post(f"{BASE}/super-squash/none", {"message": "x"})
    assert missing["X-Error-Code"] == "RevisionNotFound"
    assert Wire(token_of(alice)).post(f"{BASE}/super-squash/main", {"message": " "}).status_code == 400


def test_large_files_of_all_versions_are_listed(repo, alice, charlie, token_of):
    commit(repo=repo, by=alice, changes=[Delete("d/w.bin"), PutFile("new.bin", b"new")], title="Change")
    rows = {row["filename"]: row for row in Wire(token_of(alice)).get(f"{BASE}/lfs-files").json()}
    assert rows["new.bin"]["ref"] == "refs/heads/main"
    assert (rows["d/w.bin"]["fileOid"], rows["d/w.bin"]["size"], rows["d/w.bin"]["ref"]) == (DIGEST, len(LARGE), None)
    assert rows["d/w.bin"]["pushedAt"].endswith("Z")
    assert Wire(token_of(charlie)).get(f"{BASE}/lfs-files").status_code == 403
    assert Wire().get(f"{BASE}/lfs-files").status_code == 401


def delete(wire, *digests, rewrite=True):
    return wire.post(f"{BASE}/lfs-files/batch", {"deletions": {"sha": list(digests), "rewriteHistory": rewrite}})


def test_a_large_file_is_removed_from_all_of_history(repo, alice, token_of):
    old = repo.head
    create_tag(repo, by=alice, name="v1")
    create_branch(repo, by=alice, name="dev")
    commit(repo=repo, by=alice, changes=[Delete("d/w.bin"), PutFile("b.txt", b"b")], title="Without it")
    wire = Wire(token_of(alice))
    assert delete(wire, DIGEST).json() == {"freed": len(LARGE)}
    for revision in ("main", "dev", "v1"):
        paths = [row["path"] for row in Wire().get(f"{BASE}/tree/{revision}?recursive=true").json()]
        assert "a.txt" in paths
        assert "d/w.bin" not in paths
        assert Wire().get(f"/alice/bert/resolve/{revision}/d/w.bin")["X-Error-Code"] == "EntryNotFound"
    assert Wire().get(f"/alice/bert/resolve/{old}/a.txt")["X-Error-Code"] == "RevisionNotFound"
    titles = [row["title"] for row in Wire().get(f"{BASE}/commits/main").json()]
    assert titles == ["Without it", "Add files", "initial commit"]
    assert Wire().get(BASE).json()["sha"] == Ref.objects.get(name="refs/heads/main").oid
    assert not RepoBlob.objects.filter(repo=repo).exists()
    assert is_exact("alice")


def test_commits_before_the_file_keep_their_ids(repo, alice):
    first = Commit.objects.get(repo=repo, title="initial commit").oid
    purging.purge(repo, [DIGEST], by=alice, rewrite_history=True)
    assert Commit.objects.get(repo=repo, title="initial commit").oid == first
    assert Commit.objects.get(repo=repo, title="Add files").parents == [first]
    assert Repo.objects.get().head == Commit.objects.get(title="Add files").oid


def test_without_rewriting_the_file_is_named_and_its_content_missing(repo, alice, token_of):
    delete(Wire(token_of(alice)), DIGEST, rewrite=False)
    assert Wire().get(BASE).json()["sha"] == repo.head
    response = Wire().get("/alice/bert/resolve/main/d/w.bin")
    assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")
    assert Wire().get("/alice/bert/resolve/main/a.txt").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"deletions": []}, 400), ({"deletions": {"sha": "x"}}, 400), ({"deletions": {"sha": [1]}}, 400),
        ({"deletions": {"sha": ["0" * 64]}}, 404), ({"deletions": {"sha": ["x"] * 1001}}, 413),
    ],
)  # fmt: skip
def test_a_wrong_wish_removes_nothing(repo, alice, token_of, body, status):
    assert Wire(token_of(alice)).post(f"{BASE}/lfs-files/batch", body).status_code == status
    assert RepoBlob.objects.filter(repo=repo).count() == 1


def test_removing_for_good_is_for_admins(alice, bob, team, make_repo, token_of):
    make_repo(alice, namespace="team", files={"w.bin": LARGE})
    body = {"deletions": {"sha": [DIGEST], "rewriteHistory": True}}
    assert Wire(token_of(bob)).post("/api/models/team/bert/lfs-files/batch", body).status_code == 403
    assert RepoBlob.objects.count() == 1


def share(wire, **changes):
    body = {"target": {"type": "model", "name": "charlie/mine"}, "files": [{"sha256": DIGEST, "filename": "d/w.bin"}]}
    return wire.post(f"{BASE}/lfs-files/duplicate", body | changes)


def test_a_large_file_is_copied_to_another_repository_without_its_bytes(repo, charlie, make_repo, token_of):
    make_repo(charlie, "mine")
    wire = Wire(token_of(charlie))
    refused = wire.commit("models/charlie/mine", large_row("w.bin", DIGEST))
    assert refused.status_code == 400
    assert share(wire).json() == {"success": [DIGEST], "failed": []}
    assert wire.commit("models/charlie/mine", large_row("w.bin", DIGEST)).status_code == 200
    assert body_of(Wire().get("/charlie/mine/resolve/main/w.bin")) == LARGE
    assert is_exact("charlie")


def test_a_copy_gives_nothing_that_the_asker_may_not_read(repo, alice, charlie, make_repo, token_of):
    mine, wire = make_repo(charlie, "mine"), Wire(token_of(charlie))
    failed = share(wire, files=[{"sha256": "0" * 64}]).json()["failed"]
    assert [row["sha256"] for row in failed] == ["0" * 64]
    assert share(Wire(token_of(alice))).status_code == 403
    assert share(wire, target={"type": "model", "name": "charlie/none"})["X-Error-Code"] == "RepoNotFound"
    Repo.objects.filter(pk=repo.pk).update(private=True)
    assert share(wire)["X-Error-Code"] == "RepoNotFound"
    assert not RepoBlob.objects.filter(repo=mine).exists()


def test_within_a_repository_a_copy_needs_no_size(repo, alice, token_of):
    wire = Wire(token_of(alice))
    assert wire.commit("models/alice/bert", large_row("copy.bin", DIGEST)).status_code == 200
    assert body_of(Wire().get("/alice/bert/resolve/main/copy.bin")) == LARGE


def test_headers_of_all_shards_come_in_one_answer(alice, make_repo, token_of):
    shards = {f"model-0000{n}-of-00002.safetensors": safetensors(**{f"w{n}": [2, n]}) for n in (1, 2)}
    index = {"metadata": {"total_size": 24}, "weight_map": {f"w{n}": name for n, name in enumerate(shards, 1)}}
    make_repo(alice, files={**shards, "model.safetensors.index.json": json.dumps(index)})
    shown = Wire().get(f"{BASE}/safetensors-metadata/model.safetensors.index.json").json()
    assert shown["index"] == {"metadata": {"total_size": 24}}
    expected = {}
    for name, data in shards.items():
        (length,) = struct.unpack("<Q", data[:8])
        expected[name] = json.loads(data[8 : 8 + length])
    assert shown["headers"] == expected
    assert Wire().get(f"{BASE}/safetensors-metadata/none.json")["X-Error-Code"] == "EntryNotFound"
    assert Wire().get(f"{BASE}/safetensors-metadata/.gitattributes").status_code == 400


def test_an_index_that_names_what_is_not_there_or_outside_is_refused(alice, make_repo):
    for name, shard in (("a", "missing.safetensors"), ("b", "../x.safetensors"), ("c", "a.txt")):
        index = json.dumps({"weight_map": {"w": shard}})
        make_repo(alice, name, files={"i.json": index, "a.txt": "a"})
        response = Wire().get(f"/api/models/alice/{name}/safetensors-metadata/i.json")
        assert response.status_code in {400, 404, 422}


def test_a_squash_of_a_repository_that_another_writer_changes_loses_nothing(repo, alice, token_of):
    before = repo.head
    squashing.super_squash(repo, by=alice, message="One")
    wire = Wire(token_of(alice))
    stale = wire.commit("models/alice/bert", file_row("x", b"x"), parentCommit=before)
    assert stale.status_code == 412
    assert wire.commit("models/alice/bert", file_row("x", b"x")).status_code == 200
    copied = copying.duplicate(repo, by=alice, namespace="alice", name="copy")
    assert Wire().get(f"/api/models/{copied.full_name}/tree/main").json() == Wire().get(f"{BASE}/tree/main").json()
