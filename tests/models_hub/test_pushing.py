"""Pushes as the hub takes them in: what lands, what is refused, and that nothing of a refused one can be seen."""

import hashlib
import json
import struct

import pytest
from django.contrib.auth.models import AnonymousUser

from models_hub import browsing, contents, publishing, pushing, referencing
from models_hub.arriving_files import LfsNeeded
from models_hub.checking import PathRefused
from models_hub.git import objects, packing
from models_hub.git.pack_entries import PackRefused
from models_hub.git.packs import PackTooLarge
from models_hub.git.pointers import pointer_text
from models_hub.models import ZERO_OID, Commit, GitObject, Ref
from models_hub.publishing import PutFile
from models_hub.pushing import NotFastForward, RefCommand, RefRefused
from portal.errors import DomainError, InvalidInput, NotAllowed, SignInRequired, StaleParent
from portal.models import Event
from tests.models_hub.gitpacks import BLOB, COMMIT, TREE, Work, commit_of, entry, oid_of, pack_of, tree_of

MAIN = "refs/heads/main"
HELLO = oid_of(BLOB, b"hello")


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice)


@pytest.fixture
def work(repo, tmp_path):
    """A clone of the repository."""
    made = Work(tmp_path / "work")
    fetch(made, repo)
    return made


def fetch(work, repo):
    head = Ref.objects.get(repo=repo, name=MAIN).oid
    work.git("index-pack", "--stdin", input=b"".join(packing.write(repo, [head])))
    work.git("reset", "-q", "--hard", head)


def send(repo, by, work, *, name=MAIN, old=None, new=None, since=None):
    """Push the head of the clone, as git does."""
    if old is None:
        row = Ref.objects.filter(repo=repo, name=name).first()
        old = row.oid if row else ZERO_OID
    new = new or work.head()
    known = since or repo.head
    pack = work.pack(new, f"^{known}", options=("--thin",))
    pushing.push(repo=repo, by=by, commands=[RefCommand(name, old, new)], pack=iter([pack]))
    repo.refresh_from_db()


def test_a_push_is_a_commit_like_any_other(repo, alice, work):
    work.commit(
        {"README.md": b"---\nlicense: mit\n---\n# Hi", "a/b.txt": b"text", "m.bin": b"weights"}, "First\n\nMore"
    )
    head = work.commit({"a/c.txt": b"more"}, "Second")
    send(repo, alice, work)
    assert (repo.head, repo.license) == (head, "mit")
    commit = browsing.resolve_revision(repo, "main")
    assert [entry.path for entry in browsing.list_folder(repo, commit, recursive=True) if not entry.is_folder] == [
        ".gitattributes", "README.md", "a/b.txt", "a/c.txt", "m.bin",
    ]  # fmt: skip
    first, second = browsing.history(repo, commit)[1::-1]
    assert (first.title, first.description, first.author, first.author_name) == ("First", "More", alice, "alice")
    line = f"m.bin {oid_of(BLOB, b'weights')}\n".encode()
    assert first.weights_digest == second.weights_digest == hashlib.sha256(line).hexdigest()
    event = Event.objects.filter(kind="repo.committed").latest("id")
    assert (event.actor, event.payload["commit"], event.payload["branch"]) == (alice, head, "main")
    publishing.commit(repo=repo, by=alice, changes=[PutFile("web.txt", b"web")], title="By page", parent=head)


def test_names_of_strangers_in_commits_prove_nothing(repo, bob, work, alice):
    work.git("commit", "-q", "--allow-empty", "-m", "x", "--author", "Bob <bob@example.org>")
    send(repo, alice, work)
    assert (Commit.objects.get(oid=work.head()).author, Commit.objects.get(oid=work.head()).author_name) == (
        None,
        "Bob",
    )


def test_branches_and_tags_come_and_go(repo, alice, work):
    head = work.commit({"a": b"1"})
    work.git("tag", "-a", "v1", "-m", "The first")
    tag = work.head("v1")
    commands = [
        RefCommand("refs/heads/dev", ZERO_OID, head), RefCommand("refs/tags/v1", ZERO_OID, tag),
        RefCommand("refs/tags/plain", ZERO_OID, repo.head),
    ]  # fmt: skip
    pushing.push(repo=repo, by=alice, commands=commands, pack=iter([work.pack("v1")]))
    assert browsing.resolve_revision(repo, "v1").oid == head
    row = Ref.objects.get(name="refs/tags/v1")
    assert (row.oid, row.tag_oid, row.message) == (head, tag, "The first")
    assert {ref.name for ref in referencing.branches(repo)} == {MAIN, "refs/heads/dev"}
    with pytest.raises(StaleParent):
        pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/tags/v1", head, ZERO_OID)])
    gone = [RefCommand("refs/tags/v1", tag, ZERO_OID), RefCommand("refs/heads/dev", head, ZERO_OID)]
    pushing.push(repo=repo, by=alice, commands=gone)
    assert set(Ref.objects.values_list("name", flat=True)) == {MAIN, "refs/tags/plain"}


def test_only_writers_push(repo, alice, charlie, work, make_repo, team, bob):
    work.commit({"a": b"1"})
    with pytest.raises(NotAllowed):
        send(repo, charlie, work)
    with pytest.raises(SignInRequired):
        send(repo, AnonymousUser(), work)
    assert repo.head != work.head()


@pytest.mark.parametrize(
    "name",
    ["refs/pr/1", "refs/pr/x", "refs/convert/parquet", "refs/notes/commits", "HEAD", "refs/heads/", "refs/heads/a..b",
     "refs/heads/" + "a" * 300, "refs/heads/" + "a" * 40, "refs/heads/refs/heads/x", "refs/heads/a\x07b"],
)  # fmt: skip
def test_other_names_are_refused(repo, alice, name):
    with pytest.raises(DomainError) as caught:
        pushing.push(repo=repo, by=alice, commands=[RefCommand(name, ZERO_OID, repo.head)])
    assert caught.value.data["ref"] == name
    assert Ref.objects.count() == 1


def test_the_default_branch_stays(repo, alice):
    with pytest.raises(RefRefused, match="cannot be deleted"):
        pushing.push(repo=repo, by=alice, commands=[RefCommand(MAIN, repo.head, ZERO_OID)])


def test_a_push_is_all_or_nothing(repo, alice, work):
    head = work.commit({"a": b"1"})
    commands = [RefCommand("refs/heads/one", ZERO_OID, head), RefCommand("refs/heads/two", head, ZERO_OID)]
    with pytest.raises(StaleParent):
        pushing.push(repo=repo, by=alice, commands=commands, pack=iter([work.pack("HEAD")]))
    assert Ref.objects.count() == 1
    assert not Commit.objects.filter(oid=head).exists()


def test_the_loser_of_a_race_is_told(repo, alice, work):
    work.commit({"a": b"1"})
    before = repo.head
    publishing.commit(repo=repo, by=alice, changes=[PutFile("b", b"2")], title="faster")
    with pytest.raises(StaleParent, match="non-fast-forward"):
        send(repo, alice, work, old=before, since=before)
    repo.refresh_from_db()
    with pytest.raises(NotFastForward, match="protected"):
        send(repo, alice, work, since=before)


def test_commits_are_dropped_by_admins_only_and_not_on_the_default_branch(
    alice, bob, team, make_repo, settings, tmp_path
):
    repo = make_repo(alice, namespace="team", files={"a": "1"})
    work = Work(tmp_path / "w")
    other = work.commit({"b": b"2"})
    with pytest.raises(NotFastForward, match="protected"):
        send(repo, alice, work, since=other + "^@")
    pushing.push(repo=repo, by=bob, commands=[RefCommand("refs/heads/dev", ZERO_OID, repo.head)])
    with pytest.raises(NotFastForward, match="only an admin"):
        send(repo, bob, work, name="refs/heads/dev", since=other + "^@")
    send(repo, alice, work, name="refs/heads/dev", since=other + "^@")
    assert browsing.resolve_revision(repo, "dev").oid == other
    settings.ALLOW_FORCE_PUSH = True
    send(repo, alice, work, since=other + "^@")
    assert repo.head == other


def test_a_history_begun_elsewhere_replaces_a_repository_that_is_still_empty(repo, alice, tmp_path):
    work = Work(tmp_path / "own")
    head = work.commit({"mine.txt": b"1"})
    send(repo, alice, work, since=head + "^@")
    assert repo.head == head


def raw(repo, by, *entries, tip, name="refs/heads/x", old=ZERO_OID):
    pushing.push(repo=repo, by=by, commands=[RefCommand(name, old, tip)], pack=iter([pack_of(*entries)]))


def refused(repo, by, error, tree, *more, match=None):
    """Push a commit of this tree and see it refused, with nothing left that anybody could find."""
    body = commit_of(oid_of(TREE, tree))
    before = GitObject.objects.count()
    with pytest.raises(error, match=match):
        raw(repo, by, entry(COMMIT, body), entry(TREE, tree), entry(BLOB, b"hello"), *more, tip=oid_of(COMMIT, body))
    assert GitObject.objects.count() == before
    assert Commit.objects.count() == 1
    assert Ref.objects.count() == 1


@pytest.mark.parametrize(
    ("mode", "name", "match"),
    [
        ("120000", b"link", "symbolic link"), ("160000", b"sub", "submodule"), ("100664", b"a", "100664"),
        ("100600", b"a", "100600"), ("100644", b"..", "empty"), ("100644", b".", "empty"),
        ("100644", b".git", "reserved"), ("100644", b".GIT", "reserved"), ("100644", b"git~1", "reserved"),
        ("100644", b".g\xe2\x80\x8cit", "invisible"), ("100644", b"a\x01b", "control"),
        ("100644", b"a\\b", "backslash"), ("100644", b"con", "device"), ("100644", b"\xff\xfe", "UTF-8"),
        ("100644", b"x" * 300, "too long"), ("100644", "a\u202eb".encode(), "invisible"),
    ],
)  # fmt: skip
def test_hostile_names_and_modes_are_refused(repo, alice, mode, name, match):
    refused(repo, alice, PathRefused, tree_of((mode, name, HELLO)), match=match)
    inner = tree_of((mode, name, HELLO))
    refused(repo, alice, PathRefused, tree_of(("40000", b"d", oid_of(TREE, inner))), entry(TREE, inner), match=match)


def test_names_that_some_systems_take_for_the_same_are_refused(repo, alice):
    twins = sorted([("100644", "é".encode(), HELLO), ("100644", "e\u0301".encode(), HELLO)], key=lambda one: one[1])
    refused(repo, alice, PathRefused, tree_of(*twins), match="the same name")


def test_folders_without_end_are_refused(repo, alice):
    inner, entries = tree_of(("100644", b"f", HELLO)), []
    for _level in range(20):  # ten folders each, that are one: 10^20 files
        entries.append(entry(TREE, inner))
        inner = tree_of(*[("40000", b"%d" % n, oid_of(TREE, inner)) for n in range(10)])
    refused(repo, alice, PathRefused, inner, *entries, match="at most")
    inner, entries = tree_of(("100644", b"f", HELLO)), []
    for _level in range(80):
        entries.append(entry(TREE, inner))
        inner = tree_of(("40000", b"d", oid_of(TREE, inner)))
    refused(repo, alice, PathRefused, inner, *entries, match="too deep")
    refused(repo, alice, PathRefused, tree_of(("40000", b"d", oid_of(TREE, b""))), entry(TREE, b""), match="empty")


def test_a_folder_of_a_hundred_thousand_and_one_files_is_refused(repo, alice):
    wide = tree_of(*[("100644", b"%06d" % n, HELLO) for n in range(100_001)])
    refused(repo, alice, InvalidInput, wide, match="at most 100000")


def test_what_is_missing_is_refused(repo, alice, make_repo):
    """Objects of other repositories are no help, whoever knows their ids."""
    other = make_repo(alice, "other", private=True, files={"secret.txt": "hidden"})
    secret = oid_of(BLOB, b"hidden")
    top = Commit.objects.get(oid=other.head)
    before = Commit.objects.filter(repo=repo).count(), GitObject.objects.filter(repo=repo).count()
    with pytest.raises(PackRefused, match=other.head):
        pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/heads/x", ZERO_OID, other.head)])
    for tree in (tree_of(("100644", b"a", secret)), tree_of(("40000", b"a", top.tree_oid))):
        body = commit_of(oid_of(TREE, tree))
        with pytest.raises(PackRefused, match="neither in the push"):
            raw(repo, alice, entry(COMMIT, body), entry(TREE, tree), tip=oid_of(COMMIT, body))
    for body in (commit_of(top.tree_oid), commit_of(Commit.objects.get(repo=repo).tree_oid, other.head)):
        with pytest.raises(PackRefused, match="neither in the push"):
            raw(repo, alice, entry(COMMIT, body), tip=oid_of(COMMIT, body))
    assert (Commit.objects.filter(repo=repo).count(), GitObject.objects.filter(repo=repo).count()) == before


def test_what_a_failed_push_left_is_not_taken_for_whole(repo, alice):
    """A folder that came without its files is looked into although a row of it is there."""
    inner = tree_of(("100644", b"a", HELLO))
    left = tree_of(("40000", b"d", oid_of(TREE, inner)))
    for body in (inner, left):
        row = GitObject(repo=repo, oid=oid_of(TREE, body), type=TREE, size=len(body), data=objects.compressed(body))
        objects.insert(repo, [row])
    body = commit_of(oid_of(TREE, left))
    with pytest.raises(PackRefused, match=HELLO):
        raw(repo, alice, entry(COMMIT, body), tip=oid_of(COMMIT, body))
    raw(repo, alice, entry(COMMIT, body), entry(BLOB, b"hello"), tip=oid_of(COMMIT, body))


def test_an_object_that_is_something_else_than_its_entry_says_is_refused(repo, alice):
    refused(repo, alice, PackRefused, tree_of(("40000", b"d", HELLO)))
    inner = tree_of(("100644", b"a", HELLO))
    refused(repo, alice, PackRefused, tree_of(("100644", b"d", oid_of(TREE, inner))), entry(TREE, inner))
    with pytest.raises(RefRefused, match="lead to a commit"):
        raw(repo, alice, entry(BLOB, b"hello"), tip=HELLO)


def test_only_what_commits_need_is_kept(repo, alice):
    tree = tree_of(("100644", b"a", HELLO))
    body = commit_of(oid_of(TREE, tree))
    junk = entry(BLOB, b"junk")
    raw(repo, alice, entry(COMMIT, body), entry(TREE, tree), entry(BLOB, b"hello"), junk, tip=oid_of(COMMIT, body))
    assert not GitObject.objects.filter(oid=oid_of(BLOB, b"junk")).exists()


def test_a_pointer_is_a_claim(repo, alice, charlie, make_repo, work):
    content = b"\0large" * 100
    sha = hashlib.sha256(content).hexdigest()
    hidden = make_repo(charlie, "hidden", private=True)
    contents.receive(hidden, iter([content]))
    work.commit({"w.bin": pointer_text(sha, len(content))})
    with pytest.raises(InvalidInput, match=r"w.bin.*not sent to this repository.*git lfs push"):
        send(repo, alice, work)
    contents.receive(repo, iter([content]))
    send(repo, alice, work)
    found = browsing.find(repo, browsing.resolve_revision(repo, "main"), "w.bin")
    assert (found.size, b"".join(browsing.stream(repo, found))) == (len(content), content)
    for name, text in {
        "size": pointer_text(sha, len(content) + 1), "odd": pointer_text(sha, len(content)).rstrip(b"\n"),
        "README.md": pointer_text(sha, len(content)),
    }.items():  # fmt: skip
        work.git("reset", "-q", "--hard", repo.head)
        work.commit({name: text})
        with pytest.raises(InvalidInput):
            send(repo, alice, work)


def test_weights_that_lie_are_refused(repo, alice, work):
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    good = struct.pack("<Q", len(header)) + header + bytes(8)
    bad = good + b"more"
    blob = contents.receive(repo, iter([bad]))
    for content in (pointer_text(blob.sha256, blob.size), bad, b""):
        work.git("reset", "-q", "--hard", repo.head)
        work.commit({"model.safetensors": content})
        with pytest.raises(InvalidInput, match="not a valid safetensors"):
            send(repo, alice, work)
    work.commit({"model.safetensors": good})
    with pytest.raises(InvalidInput, match="not a valid safetensors"):
        send(repo, alice, work)  # the bad one is in the past still
    work.git("reset", "-q", "--hard", repo.head)
    work.commit({"model.safetensors": good})
    send(repo, alice, work)


def test_a_large_file_belongs_in_lfs(repo, alice, work, settings):
    settings.LFS_THRESHOLD_BYTES = 1000
    work.commit({"deep/big.txt": b"x" * 1001})
    work.commit({"deep/big.txt": b"x" * 1002})
    with pytest.raises(LfsNeeded, match=r"deep/big.txt.*git lfs migrate"):
        send(repo, alice, work)
    assert Commit.objects.count() == 1


def test_a_card_that_cannot_be_read_is_refused(repo, alice, work, settings):
    work.commit({"README.md": b"---\n[:\n---\n"})
    with pytest.raises(InvalidInput):
        send(repo, alice, work)
    work.commit({"README.md": b"---\nlicense: mit\n---\n"})  # mended since: the past may be as it is
    send(repo, alice, work)
    settings.MAX_CARD_BYTES = 100
    work.commit({".gitignore": b"x" * 101})
    with pytest.raises(InvalidInput, match="gitignore"):
        send(repo, alice, work)


def test_merges_renames_and_returns_are_taken_in(repo, alice, work):
    work.commit({"a/one.txt": b"1", "b.txt": b"2"})
    send(repo, alice, work)
    work.git("checkout", "-q", "-b", "side")
    work.git("mv", "a", "moved")
    work.commit({})
    work.git("checkout", "-q", "main")
    work.commit({"c.txt": b"3"})
    work.git("merge", "-q", "side", "-m", "Merge")
    work.git("revert", "--no-edit", "-m", "1", "HEAD")
    send(repo, alice, work)
    assert len(browsing.history(repo, browsing.resolve_revision(repo, "main"))) == 6


def test_the_number_of_commits_is_bounded(repo, alice, work, monkeypatch):
    monkeypatch.setattr("models_hub.inspecting.MAX_COMMITS", 2)
    for n in range(3):
        work.commit({"a": b"%d" % n})
    with pytest.raises(PackTooLarge, match="at most 2"):
        send(repo, alice, work)


def test_what_is_used_again_is_not_collected(repo, alice):
    """A branch is begun at a commit that no branch leads to any more, while the collector has it on its list."""
    tree = tree_of(("100644", b"a", HELLO))
    body = commit_of(oid_of(TREE, tree))
    tip = oid_of(COMMIT, body)
    raw(repo, alice, entry(COMMIT, body), entry(TREE, tree), entry(BLOB, b"hello"), tip=tip)
    pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/heads/x", tip, ZERO_OID)])
    GitObject.objects.filter(oid__in=[tip, oid_of(TREE, tree), HELLO]).update(unreachable_since="2026-01-01T00:00:00Z")
    pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/heads/y", ZERO_OID, tip)])
    assert not GitObject.objects.filter(unreachable_since__isnull=False).exists()
    pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/heads/y", tip, ZERO_OID)])
    GitObject.objects.filter(oid=HELLO).delete()
    with pytest.raises(PackRefused, match=HELLO):
        pushing.push(repo=repo, by=alice, commands=[RefCommand("refs/heads/z", ZERO_OID, tip)])
