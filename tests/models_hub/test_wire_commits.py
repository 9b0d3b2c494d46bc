"""Commits on the wire: preupload, the stream of lines, what is refused, history."""

import base64
import hashlib

import pytest
from django.test import Client

from models_hub import browsing, staging
from models_hub.models import Commit, GitObject, Repo
from models_hub.xet import tokens
from tests.models_hub.wire import LARGE, Wire, body_of, file_row, large_row

REPO = "models/alice/bert"


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice, files={"a.txt": "x", "w.bin": LARGE, "d/b.txt": "y"})


@pytest.fixture
def wire(alice, token_of):
    return Wire(token_of(alice))


def content(path):
    return body_of(Wire().get(f"/alice/bert/resolve/main/{path}"))


def asked(path, data=b"", size=None):
    return {"path": path, "sample": base64.b64encode(data[:512]).decode(), "size": len(data) if size is None else size}


def test_preupload_says_how_and_what_is_there(repo, wire):
    files = [
        asked("a.txt", b"x"), asked("w.bin", LARGE), asked("tiny.bin", b"7 bytes"), asked("empty.bin"),
        asked("big.txt", b"text", 10_000_001), asked("odd.dat", b"\x00"), asked("README.md", b"\x00"), asked("d", b"x"),
    ]  # fmt: skip
    shown = wire.post(f"/api/{REPO}/preupload/main", {"files": files}).json()["files"]
    assert [(f["path"], f["uploadMode"]) for f in shown] == [
        ("a.txt", "regular"), ("w.bin", "lfs"), ("tiny.bin", "lfs"), ("empty.bin", "regular"), ("big.txt", "lfs"),
        ("odd.dat", "lfs"), ("README.md", "regular"), ("d", "regular"),
    ]  # fmt: skip
    oids = {f["path"]: f.get("oid") for f in shown}
    assert oids["a.txt"] == hashlib.sha1(b"blob 1\x00x").hexdigest()
    assert oids["w.bin"] == hashlib.sha256(LARGE).hexdigest()
    assert oids["tiny.bin"] is oids["d"] is None
    assert all(f["shouldIgnore"] is False for f in shown)


def test_preupload_ignores_by_the_sent_rules_else_by_those_of_the_repository(repo, wire):
    files = {"files": [asked("x.log", b"l"), asked("keep.txt", b"k"), asked("build/o.txt", b"o")]}
    sent = wire.post(f"/api/{REPO}/preupload/main", {**files, "gitIgnore": "*.log\nbuild/\n"}).json()["files"]
    assert [f["shouldIgnore"] for f in sent] == [True, False, True]
    wire.commit(REPO, file_row(".gitignore", b"keep.*\n"))
    stored = wire.post(f"/api/{REPO}/preupload/main", files).json()["files"]
    assert [f["shouldIgnore"] for f in stored] == [False, True, False]


@pytest.mark.parametrize("path", ["..\\ddd", "../x", ".git/config", "a//b", "", "a\u0000b"])
def test_hostile_paths_are_422_at_every_step(repo, wire, path):
    assert wire.post(f"/api/{REPO}/preupload/main", {"files": [asked(path, b"x")]}).status_code == 422
    rows = (file_row(path, b"x"), large_row(path, "0" * 64, 1), {"key": "deletedFile", "value": {"path": path}})
    for row in rows:
        assert wire.commit(REPO, row).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {}, {"files": {}}, {"files": [5]}, {"files": [{"path": 5}]}, {"files": [{"path": "a", "size": -1}]},
        {"files": [{"path": "a", "size": "1"}]}, {"files": [{"path": "a", "sample": "%"}]},
    ],
)  # fmt: skip
def test_a_malformed_question_is_a_bad_request(repo, wire, body):
    assert wire.post(f"/api/{REPO}/preupload/main", body).status_code == 400


def test_a_file_beyond_the_limit_is_told_before_it_is_sent(repo, wire, settings):
    settings.MAX_FILE_BYTES = 1000
    response = wire.post(f"/api/{REPO}/preupload/main", {"files": [asked("a", b"x", 1001)]})
    assert response.status_code == 413
    assert "1000 bytes" in response.json()["error"]


def test_a_commit_changes_what_its_lines_say(repo, wire):
    sha = hashlib.sha256(LARGE).hexdigest()
    response = wire.commit(
        REPO,
        file_row("new.txt", b"new"),
        large_row("copy.bin", sha),
        large_row("again.bin", sha, len(LARGE)),
        {"key": "deletedFile", "value": {"path": "a.txt"}},
        {"key": "deletedFolder", "value": {"path": "d/"}},
        summary="Say\nmore",
        description="and more",
        parentCommit=repo.head,
    )
    commit = Commit.objects.latest("id")
    assert response.json() == {
        "success": True,
        "commitUrl": f"http://portal.example/alice/bert/commit/{commit.oid}",
        "commitOid": commit.oid,
        "hookOutput": "",
    }
    assert (commit.title, commit.description, commit.author_name) == ("Say", "more\n\nand more", "alice")
    listed = [row["path"] for row in wire.get(f"/api/{REPO}/tree/main?recursive=true").json()]
    assert listed == [".gitattributes", "again.bin", "copy.bin", "new.txt", "w.bin"]
    assert (content("new.txt"), content("copy.bin")) == (b"new", LARGE)


def test_large_content_sent_inside_a_commit_becomes_large_content(repo, wire):
    assert wire.commit(REPO, file_row("inline.bin", b"small but bin")).status_code == 200
    rows = wire.post(f"/api/{REPO}/paths-info/main", {"paths": ["inline.bin"]}).json()
    assert rows[0]["lfs"]["oid"] == hashlib.sha256(b"small but bin").hexdigest()


def test_a_stale_parent_is_412_with_the_text_that_clients_know(repo, wire):
    first = repo.head
    wire.commit(REPO, file_row("a.txt", b"1"))
    response = wire.commit(REPO, file_row("a.txt", b"2"), parentCommit=first)
    assert response.status_code == 412
    expected = "The branch was updated since you opened this page. Please refresh and try again."
    assert response.json()["error"] == response["X-Error-Message"] == expected


def test_content_that_was_never_sent_cannot_be_committed(repo, wire, alice, charlie, make_repo):
    make_repo(charlie, "secret", private=True, files={"s.bin": LARGE + b"secret"})
    for sha in ("0" * 64, hashlib.sha256(LARGE + b"secret").hexdigest(), "", "../../etc/passwd", "\0"):
        response = wire.commit(REPO, large_row("x.bin", sha, 5))
        assert response.status_code == 400
        assert "has not been uploaded to this repository" in response.json()["error"]


def test_deleting_what_is_not_there(repo, wire):
    response = wire.commit(REPO, {"key": "deletedFile", "value": {"path": "nope"}})
    assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")
    assert response.json()["error"] == "A file with this name doesn't exist"


def test_a_change_meant_for_review_never_lands_on_the_branch(repo, wire):
    response = wire.commit(REPO, file_row("new.txt", b"x"), revision="main?create_pr=1")
    assert response.json()["pullRequestUrl"].endswith("/discussions/1")
    assert Repo.objects.get(pk=repo.pk).head == repo.head


@pytest.mark.parametrize("revision", ["nope", "v1", "{head}", "refs%2Fpr%2F1"])
def test_only_branches_take_commits(repo, wire, revision):
    wire.post(f"/api/{REPO}/tag/main", {"tag": "v1"})
    response = wire.commit(REPO, file_row("a", b"x"), revision=revision.format(head=repo.head))
    assert (response.status_code, response["X-Error-Code"]) == (404, "RevisionNotFound")


HEADER = '{"key":"header","value":{"summary":"s"}}\n'


@pytest.mark.parametrize(
    "body",
    [
        "", "\n\n", "{}", '{"key":"file","value":{"path":"a","content":"","encoding":"base64"}}', HEADER + "{",
        HEADER + "[]", HEADER + '{"key":"what","value":{}}', HEADER + '{"key":"file","value":5}',
        HEADER + '{"key":"file","value":{"path":"a"}}',
        HEADER + '{"key":"file","value":{"path":"a","content":"%%%","encoding":"base64"}}',
        HEADER + '{"key":"file","value":{"path":"a","content":"eA","encoding":"rot13"}}',
        HEADER + '{"key":"lfsFile","value":{"path":"a","oid":"x","algo":"md5"}}', '{"key":"header","value":{}}',
        '{"key":"header","value":{"summary":5}}', '{"key":"header","value":{"summary":""}}',
        HEADER + '{"key":"file","value":{"path":"a","content":"eA==","encoding":"base64"}}\n{"key":"fil',
    ],
)  # fmt: skip
def test_a_malformed_or_truncated_commit_changes_nothing(repo, wire, body):
    response = wire.post(f"/api/{REPO}/commit/main", body, content_type="application/x-ndjson")
    assert response.status_code == 400
    assert response.json()["error"]
    assert Commit.objects.filter(repo=repo).count() == 2


def test_bodies_and_lines_are_bounded(repo, wire, settings):
    settings.LFS_THRESHOLD_BYTES = 1000
    response = wire.commit(REPO, file_row("big.txt", b"x" * 600_000))
    assert response.status_code == 413
    assert "LFS or Xet" in response.json()["error"]
    settings.LFS_THRESHOLD_BYTES, settings.MAX_COMMIT_BODY_BYTES = 10_000_000, 5000
    assert wire.commit(REPO, file_row("big.txt", b"x" * 6000)).status_code == 413


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 1_000_000])
def test_lines_of_any_length_arrive_whole(repo, wire, size):
    assert wire.commit(REPO, file_row("a.txt", b"y" * size), file_row("z.txt", b"last")).status_code == 200
    assert content("a.txt") == b"y" * size
    assert content("z.txt") == b"last"


def test_a_lying_header_and_a_bad_card_are_refused_with_what_to_mend(repo, wire):
    response = wire.commit(REPO, file_row("model.safetensors", b"\xff" * 100))
    assert response.status_code == 400
    assert 'model.safetensors" is not a valid safetensors file' in response.json()["error"]
    response = wire.commit(REPO, file_row("README.md", b"---\na: [\n---\n"))
    assert response.status_code == 400
    assert "malformed at its line" in response.json()["error"]


def test_history_comes_in_pages_newest_first(repo, wire):
    for n in range(4):
        wire.commit(REPO, file_row("a.txt", b"%d" % n), summary=f"<b>{n}</b>")
    seen, address = [], f"/api/{REPO}/commits/main?limit=2&expand[]=formatted"
    while address:
        response = wire.get(address)
        seen += response.json()
        address = response.get("Link", "").partition(">")[0].removeprefix("<http://portal.example")
    titles = [f"<b>{n}</b>" for n in (3, 2, 1, 0)]
    assert [row["title"] for row in seen] == [*titles, "Add files", "initial commit"]
    assert seen[0]["formatted"]["title"] == "&lt;b&gt;3&lt;/b&gt;"
    assert (seen[0]["authors"][0]["user"], seen[0]["date"][-1]) == ("alice", "Z")
    assert seen[0]["id"] == browsing.resolve_revision(repo, "main").oid


def test_the_xet_token_comes_in_json_and_headers(repo, wire):
    response = wire.get(f"/api/{REPO}/xet-write-token/main")
    shown = response.json()
    assert shown["casUrl"] == response["X-Xet-Cas-Url"] == "http://portal.example/cas"
    assert shown["accessToken"] == response["X-Xet-Access-Token"]
    assert str(shown["exp"]) == response["X-Xet-Token-Expiration"]
    assert tokens.read(f"Bearer {shown['accessToken']}").repo == repo
    assert wire.get(f"/api/{REPO}/xet-write-token/nope")["X-Error-Code"] == "RevisionNotFound"


def test_the_xet_token_ends_when_the_access_token_is_revoked(repo, wire, alice):
    issued = wire.get(f"/api/{REPO}/xet-write-token/main").json()["accessToken"]
    for access in alice.tokens.all():
        access.revoke()
    answer = Client().post("/cas/v1/shards", "", "text/plain", headers={"Authorization": f"Bearer {issued}"})
    assert answer.status_code == 401
    assert "revoked" in answer.json()["error"]


def test_a_large_commit_writes_its_small_files_as_they_come(repo, wire, monkeypatch):
    monkeypatch.setattr(staging, "WRITE_BYTES", 1000)
    before = GitObject.objects.count()
    rows = [file_row(f"f{n}.txt", b"%04d" % n * 50) for n in range(50)]
    assert wire.commit(REPO, *rows).status_code == 200
    assert GitObject.objects.count() == before + 50 + 2
