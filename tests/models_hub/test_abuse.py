"""What nobody gets by knowing: the digest, pointer, xorb or chunks of a private file open no door without its bytes.

Each door is tried twice, for the private file and for one that nobody has: the answers must be the same, for a
difference would tell that the file is here. Bombs, lies and hostile names have their tests with what reads them:
test_xet_formats.py, test_xet_uploads.py, test_git_packs.py, test_pushing.py, test_lfs.py, test_bundles.py.
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.core.cache import cache

from models_hub import contents, gating, publishing
from models_hub.git import objects
from models_hub.git.pointers import pointer_text
from models_hub.models import ZERO_OID, AccessRequest, Repo, RepoBlob
from models_hub.publishing import PutFile
from portal.models import AccessToken, User
from portal.models.tokens import Grant
from portal.reach import Level
from tests.models_hub.gitpacks import COMMIT, TREE, commit_of, entry, oid_of, pack_of, tree_of
from tests.models_hub.test_git_smart import basic, post
from tests.models_hub.wire import Wire, body_of, file_row, large_row
from tests.models_hub.xet_client import MadeXorb, sha256, whole
from tests.models_hub.xet_sender import Sender

MakeRepo = Callable[..., Repo]
NOISE = random.Random(7)
HELD = MadeXorb(tuple(NOISE.randbytes(size) for size in (1000, 2000)))
NOWHERE = MadeXorb(tuple(NOISE.randbytes(size) for size in (1000, 2000)))


class Thief(NamedTuple):
    """Charlie, who knows all about a private file but its bytes, and has a repository to put it into."""

    repo: Repo
    user: User
    wire: Wire
    browser: Any
    hidden: Repo


Answer = tuple[int, str]
Attempt = Callable[[Thief, MadeXorb], Any]


@pytest.fixture
def thief(alice: User, charlie: User, make_repo: MakeRepo, token_of: Any, as_user: Any) -> Thief:
    cache.clear()
    hidden = make_repo(alice, "hidden", private=True)
    Sender(hidden, alice).send(HELD)
    wire = Wire(token_of(alice))
    committed = wire.commit("models/alice/hidden", large_row("w.bin", sha256(HELD.raw), len(HELD.raw)))
    assert committed.status_code == 200
    return Thief(make_repo(charlie, "mine"), charlie, Wire(token_of(charlie)), as_user(charlie), hidden)


def by_lfs_batch(thief: Thief, file: MadeXorb) -> Any:
    """The answer asks for the bytes: its signed addresses differ, so only what is to be done is compared."""
    asked = {"operation": "upload", "objects": [{"oid": sha256(file.raw), "size": len(file.raw)}]}
    told = thief.wire.post("/charlie/mine.git/info/lfs/objects/batch", asked).json()["objects"][0]
    return sorted(told["actions"])


def by_lfs_download(thief: Thief, file: MadeXorb) -> Any:
    asked = {"operation": "download", "objects": [{"oid": sha256(file.raw), "size": len(file.raw)}]}
    told = thief.wire.post("/charlie/mine.git/info/lfs/objects/batch", asked).json()["objects"][0]
    assert "actions" not in told
    return told["error"]


def by_lfs_verify(thief: Thief, file: MadeXorb) -> Any:
    asked = {"oid": sha256(file.raw), "size": len(file.raw)}
    return refused(thief.wire.post("/charlie/mine.git/info/lfs/objects/verify", asked), file)


def by_lfs_verify_with_another_size(thief: Thief, file: MadeXorb) -> Any:
    asked = {"oid": sha256(file.raw), "size": 1}
    return refused(thief.wire.post("/charlie/mine.git/info/lfs/objects/verify", asked), file)


def by_commit(thief: Thief, file: MadeXorb) -> Any:
    row = large_row("w.bin", sha256(file.raw), len(file.raw))
    return refused(thief.wire.commit("models/charlie/mine", row), file)


def by_commit_without_size(thief: Thief, file: MadeXorb) -> Any:
    return refused(thief.wire.commit("models/charlie/mine", large_row("w.bin", sha256(file.raw))), file)


def by_pull_request(thief: Thief, file: MadeXorb) -> Any:
    row = large_row("w.bin", sha256(file.raw), len(file.raw))
    return refused(thief.wire.commit("models/charlie/mine", row, revision="main?create_pr=1"), file)


def by_pointer_in_a_commit(thief: Thief, file: MadeXorb) -> Any:
    return refused(thief.wire.commit("models/charlie/mine", file_row("w.bin", pointer_of(file))), file)


def by_pointer_typed_in_the_browser(thief: Thief, file: MadeXorb) -> Any:
    form = {"path": "w.bin", "content": pointer_of(file).decode(), "title": "x", "target": "branch"}
    answer = thief.browser.post("/charlie/mine/new/main", form)
    assert answer.status_code == 400
    assert "not been uploaded" in answer.text
    return answer.status_code


def by_preupload(thief: Thief, file: MadeXorb) -> Any:
    asked = {"path": "w.bin", "size": len(file.raw), "sample": "AAAA", "oid": sha256(file.raw), "sha": sha256(file.raw)}
    told = thief.wire.post("/api/models/charlie/mine/preupload/main", {"files": [asked]}).json()["files"][0]
    assert "oid" not in told
    return told


def by_push_of_a_pointer(thief: Thief, file: MadeXorb) -> Any:
    blob = pointer_of(file)
    tree = tree_of(("100644", b"w.bin", oid_of(3, blob)))
    commit = commit_of(oid_of(TREE, tree))
    pack = pack_of(entry(COMMIT, commit), entry(TREE, tree), entry(3, blob))
    body = send_to(thief, oid_of(COMMIT, commit), pack)
    assert "not sent to this repository" in body
    return clean(body, file).replace(oid_of(COMMIT, commit), "*")


def by_push_of_a_pointer_that_only_the_tree_names(thief: Thief, file: MadeXorb) -> Any:
    """The pointer itself, a file of git, is not sent: it stands in the private repository under the same id."""
    tree = tree_of(("100644", b"w.bin", oid_of(3, pointer_of(file))))
    commit = commit_of(oid_of(TREE, tree))
    body = send_to(thief, oid_of(COMMIT, commit), pack_of(entry(COMMIT, commit), entry(TREE, tree)))
    assert "neither in the push nor in this repository" in body
    return body.replace(oid_of(3, pointer_of(file)), "*").replace(oid_of(COMMIT, commit), "*")


def by_shard(thief: Thief, file: MadeXorb) -> Any:
    return refused(Sender(thief.repo, thief.user).shard(whole(file)), file)


def by_question_for_a_chunk(thief: Thief, file: MadeXorb) -> Any:
    return refused(Sender(thief.repo, thief.user).chunk(file.chunks[0]), file)


def by_reconstruction(thief: Thief, file: MadeXorb) -> Any:
    return [refused(Sender(thief.repo, thief.user).plan(whole(file).hash, version), file) for version in (1, 2)]


def by_xorb_with_other_bytes(thief: Thief, file: MadeXorb) -> Any:
    other = MadeXorb((b"other",))
    return refused(Sender(thief.repo, thief.user).xorb(file, body=other.body), file)


def by_copy_from_a_repository_of_ones_own(thief: Thief, file: MadeXorb) -> Any:
    target = {"type": "model", "name": "charlie/mine"}
    asked = {"target": target, "files": [{"sha256": sha256(file.raw)}]}
    answer = thief.wire.post("/api/models/charlie/mine/lfs-files/duplicate", asked)
    assert answer.json()["success"] == []
    return clean(answer.content.decode(), file)


def by_copy_of_a_job(thief: Thief, file: MadeXorb) -> Any:
    return refused(thief.wire.get(f"/api/v1/jobs/1/content/{sha256(file.raw)}"), file)


ATTEMPTS = [value for name, value in list(globals().items()) if name.startswith("by_")]


def pointer_of(file: MadeXorb) -> bytes:
    return pointer_text(sha256(file.raw), len(file.raw))


def send_to(thief: Thief, commit: str, pack: bytes) -> str:
    body = f"{ZERO_OID} {commit} refs/heads/x\0 report-status".encode()
    sent = b"%04x" % (len(body) + 4) + body + b"0000" + pack
    answer = post("/charlie/mine/git-receive-pack", sent, basic(thief.wire.token))
    return body_of(answer).decode()


def refused(answer: Any, file: MadeXorb) -> Answer:
    assert 400 <= answer.status_code < 500
    return answer.status_code, clean(body_of(answer).decode(), file)


def clean(text: str, file: MadeXorb) -> str:
    """The answer without the names by which the file was asked for."""
    for name in (sha256(file.raw), file.hash, whole(file).hash):
        text = text.replace(name, "*")
    return text


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
def test_knowing_a_private_file_gives_nothing_and_tells_nothing(thief: Thief, attempt: Attempt) -> None:
    assert attempt(thief, HELD) == attempt(thief, NOWHERE)
    assert not contents.held_by(thief.repo, [sha256(HELD.raw)])
    assert not RepoBlob.objects.filter(repo=thief.repo).exists()
    assert not objects.sizes(thief.repo, [oid_of(3, pointer_of(HELD))])


def test_the_same_doors_open_to_whoever_sends_the_bytes(thief: Thief) -> None:
    sender = Sender(thief.repo, thief.user)
    assert sender.xorb(HELD).status_code == sender.shard(whole(HELD)).status_code == 200
    assert thief.wire.commit("models/charlie/mine", file_row("w.bin", pointer_of(HELD))).status_code == 200
    assert body_of(thief.wire.get("/charlie/mine/resolve/main/w.bin")) == HELD.raw


class TestForeignCommits:
    """Whoever knows the id of a commit, folder or proposal of a private repository finds it in no other."""

    PLACES = ("/charlie/mine/resolve/{}/notes.txt", "/charlie/mine/raw/{}/notes.txt",
              "/api/models/charlie/mine/tree/{}", "/api/models/charlie/mine/revision/{}",
              "/api/models/charlie/mine/commits/{}", "/api/models/charlie/mine/xet-read-token/{}")  # fmt: skip
    PAGES = ("/charlie/mine/tree/{}", "/charlie/mine/blob/{}/notes.txt", "/charlie/mine/commits/{}",
             "/charlie/mine/commit/{}")  # fmt: skip

    @pytest.fixture
    def known(self, thief: Thief, alice: User) -> list[str]:
        """Ids of the private repository: a commit, a proposal's, a folder, and the names of its references."""
        changes = [PutFile("notes.txt", b"confidential")]
        made = publishing.commit(repo=thief.hidden, by=alice, changes=changes, title="x")
        pull, proposed = publishing.propose(repo=thief.hidden, by=alice, changes=[PutFile("b.txt", b"b")], title="y")
        return [made.oid, made.oid[:12], proposed.oid, made.tree_oid, pull.ref.replace("/", "%2F")]

    def test_by_no_address(self, thief: Thief, known: list[str]) -> None:
        for number, oid in enumerate(known):
            for place in self.PLACES:
                answer = thief.wire.get(place.format(oid))
                assert (answer.status_code, answer["X-Error-Code"]) == (404, "RevisionNotFound"), (place, number)
            for page in self.PAGES:
                assert thief.browser.get(page.format(oid)).status_code == 404, (page, number)
            asked = thief.wire.post(f"/api/models/charlie/mine/paths-info/{oid}", {"paths": ["notes.txt"]})
            assert asked.status_code == 404

    def test_by_no_branch_tag_or_parent(self, thief: Thief, known: list[str]) -> None:
        for oid in known[:4]:
            for name in ("branch", "tag"):
                body = {"startingPoint": oid, "tag": "v1"}
                path = f"/api/models/charlie/mine/{name}/{'new' if name == 'branch' else oid}"
                assert thief.wire.post(path, body).status_code == 404
            assert "neither in the push nor in this repository" in send_to(thief, oid.ljust(40, "0"), pack_of())
        stale = thief.wire.commit("models/charlie/mine", file_row("a", b"a"), parentCommit=known[0])
        assert stale.status_code == 412

    def test_by_no_fetch(self, thief: Thief, known: list[str]) -> None:
        for oid in (known[0], known[2], known[3]):
            answer = body_of(
                post(
                    "/charlie/mine/git-upload-pack",
                    b"0012command=fetch\n00010032want " + oid.encode() + b"\n0009done\n0000",
                    **{"Git-Protocol": "version=2"},
                )
            )
            assert b"PACK" not in answer
            assert b"ERR " in answer


class TestGates:
    """The files of a gated repository reach nobody by any door before the owner lets that person in."""

    @pytest.fixture
    def gated(self, thief: Thief, alice: User) -> Repo:
        publishing.commit(repo=thief.hidden, by=alice, changes=[PutFile("notes.txt", b"confidential")], title="x")
        publishing.set_private(thief.hidden, by=alice, private=False)
        gating.set_gate(thief.hidden, by=alice, gate="manual")
        thief.hidden.refresh_from_db()
        return thief.hidden

    def doors(self, thief: Thief, gated: Repo) -> dict[str, Any]:
        """Answers of all doors that give bytes."""
        asked = {"operation": "download", "objects": [{"oid": sha256(HELD.raw), "size": len(HELD.raw)}]}
        copy = {"target": {"type": "model", "name": "charlie/mine"}, "files": [{"sha256": sha256(HELD.raw)}]}
        wire, browser, key = thief.wire, thief.browser, basic(thief.wire.token)
        base, api = "/alice/hidden", "/api/models/alice/hidden"
        want = b"0012command=fetch\n00010032want " + gated.head.encode() + b"\n0009done\n0000"
        return {
            "resolve": wire.get(f"{base}/resolve/main/w.bin"),
            "raw": wire.get(f"{base}/raw/main/notes.txt"),
            "proposal": wire.get(f"{base}/resolve/refs%2Fpr%2F1/w.bin"),
            "lfs": wire.post(f"{base}.git/info/lfs/objects/batch", asked),
            "lfs for a proposal": wire.post(f"{base}.git/info/lfs/objects/batch", asked | {"operation": "upload"}),
            "clone": post(f"{base}/git-upload-pack", want, key, **{"Git-Protocol": "version=2"}),
            "xet": wire.get(f"{api}/xet-read-token/main"),
            "xet for a proposal": wire.get(f"{api}/xet-write-token/main?create_pr=1"),
            "headers": wire.get(f"{api}/safetensors-metadata/model.safetensors.index.json"),
            "bundle": browser.get(f"{base}/bundle"),
            "bundle for programs": wire.get("/api/v1/bundles/models/alice/hidden"),
            "page": browser.get(f"{base}/blob/main/notes.txt"),
            "page of a commit": browser.get(f"{base}/commit/{gated.head}"),
            "editor": browser.get(f"{base}/edit/main/notes.txt"),
            "changes of a proposal": browser.get(f"{base}/discussions/1/files"),
            "copy": wire.post(f"{api}/duplicate", {"repository": "charlie/copy"}),
            "copy of a file": wire.post(f"{api}/lfs-files/duplicate", copy),
        }

    def test_every_door_is_shut(self, thief: Thief, gated: Repo, alice: User) -> None:
        publishing.propose(repo=gated, by=alice, changes=[PutFile("notes.txt", b"confidential too")], title="y")
        for name, answer in self.doors(thief, gated).items():
            assert answer.status_code == 403, name
            assert b"confidential" not in body_of(answer), name
        sender = Sender(thief.repo, thief.user)
        assert sender.chunk(HELD.chunks[0]).status_code == 404
        assert sender.shard(whole(HELD)).status_code == 400
        diff = thief.wire.get("/api/models/alice/hidden/discussions/1?diff=1")
        assert b"confidential" not in body_of(diff)

    def test_and_open_to_who_was_let_in(self, thief: Thief, gated: Repo, alice: User) -> None:
        """Else the test above could pass for another reason."""
        publishing.propose(repo=gated, by=alice, changes=[PutFile("notes.txt", b"confidential too")], title="y")
        AccessRequest.objects.create(repo=gated, user=thief.user, status=AccessRequest.Status.ACCEPTED)
        shut = [name for name, answer in self.doors(thief, gated).items() if answer.status_code == 403]
        assert shut == []

    def test_a_limited_token_of_somebody_let_in_opens_none(self, thief: Thief, gated: Repo) -> None:
        AccessRequest.objects.create(repo=gated, user=thief.user, status=AccessRequest.Status.ACCEPTED)
        given = Grant(thief.repo.namespace, Level.MANAGE, "charlie/*")
        token, secret = AccessToken.issue_fine_grained(
            user=thief.user, name="app", grants=[given], permissions=("discussions", "jobs", "collections")
        )
        limited = thief._replace(wire=Wire(secret), browser=None)
        for name, answer in self.doors_for_programs(limited, gated).items():
            assert answer.status_code == 403, name
        sender = Sender(thief.repo, AccessToken.objects.get(pk=token.pk).user, access=token)
        assert sender.chunk(HELD.chunks[0]).status_code == 404
        assert sender.shard(whole(HELD)).status_code == 400

    def doors_for_programs(self, thief: Thief, gated: Repo) -> dict[str, Any]:
        class Nobody:
            def get(self, _path: str) -> None:
                return None

        found = self.doors(thief._replace(browser=Nobody()), gated)
        return {name: answer for name, answer in found.items() if answer is not None}
