"""Looking into a repository: revisions, folders, ranges, history."""

import pytest

from models_hub import browsing, publishing, referencing
from models_hub.browsing import EntryNotFound, RepoNotFound, RevisionNotFound
from models_hub.models import Commit, Repo
from models_hub.publishing import PutFile
from models_hub.tracing import last_commits
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound

LARGE = b"\x00large" * 100


def commit(repo, alice, path, content=b"x", **options):
    return publishing.commit(repo=repo, by=alice, changes=[PutFile(path, content)], title=f"Change {path}", **options)


def test_missing_and_hidden_repositories_are_the_same(alice, charlie, make_repo):
    make_repo(alice, "hidden", private=True)
    messages = set()
    for name in ("hidden", "missing"):
        with pytest.raises(RepoNotFound) as caught:
            browsing.visible_repo(charlie, kind="model", namespace="alice", name=name)
        messages.add((caught.value.message, caught.value.code, str(caught.value.data)))
    assert len(messages) == 1
    assert browsing.visible_repo(alice, kind="model", namespace="ALICE", name="Hidden").full_name == "alice/hidden"


def test_a_revision_is_a_branch_a_tag_a_reference_or_an_id(alice, make_repo):
    repo = make_repo(alice)
    head = browsing.resolve_revision(repo, "main")
    referencing.create_branch(repo, by=alice, name="feature/x")
    referencing.create_tag(repo, by=alice, name="v1.0", message="first")
    for revision in ("main", "refs/heads/main", "feature/x", "v1.0", "refs/tags/v1.0", head.oid, head.oid[:7]):
        assert browsing.resolve_revision(repo, revision) == head
    for revision in ("", "v2", "refs/pr/1", "0" * 40, head.oid[:6], head.oid.upper(), "%", "main/../main"):
        with pytest.raises(RevisionNotFound):
            browsing.resolve_revision(repo, revision)


def test_a_commit_of_another_repository_is_no_revision(alice, charlie, make_repo):
    secret, mine = make_repo(alice, private=True, files={"a": "secret"}), make_repo(charlie, files={"a": "x"})
    with pytest.raises(RevisionNotFound):
        browsing.resolve_revision(mine, secret.head)


def test_nobody_can_move_a_pinned_commit_with_a_branch_of_its_name(alice, make_repo):
    repo = make_repo(alice)
    old = repo.head
    commit(repo, alice, "a.txt")
    for name in (old, "refs/heads/x", "HEAD"):
        with pytest.raises(InvalidInput):
            referencing.create_branch(repo, by=alice, name=name)


BAD_NAMES = ["", "a b", "a..b", "a~1", "x.lock", "a//b", "/a", "@{", "a\x00", "a\n", "\ud800", "x" * 300]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_hostile_branch_names_are_refused(alice, make_repo, name):
    with pytest.raises(InvalidInput):
        referencing.create_branch(make_repo(alice), by=alice, name=name)


def test_branches_are_written_to_on_their_own(alice, make_repo):
    repo = make_repo(alice)
    referencing.create_branch(repo, by=alice, name="dev")
    commit(repo, alice, "a.txt", branch="dev")
    repo.refresh_from_db()
    assert repo.head == browsing.resolve_revision(repo, "main").oid != browsing.resolve_revision(repo, "dev").oid
    assert [ref.short_name for ref in referencing.branches(repo)] == ["dev", "main"]


def test_making_and_removing_branches_and_tags(alice, charlie, make_repo):
    repo = make_repo(alice)
    referencing.create_branch(repo, by=alice, name="dev")
    referencing.create_tag(repo, by=alice, name="v1")
    with pytest.raises(Conflict, match="Reference refs/heads/dev already exists"):
        referencing.create_branch(repo, by=alice, name="dev")
    with pytest.raises(Conflict):
        referencing.create_tag(repo, by=alice, name="v1")
    with pytest.raises(RevisionNotFound):
        referencing.create_tag(repo, by=alice, name="v2", revision="nowhere")
    with pytest.raises(InvalidInput, match="Cannot delete refs/heads/main"):
        referencing.delete_branch(repo, by=alice, name="main")
    for missing in ("v1", "nope"):
        with pytest.raises(NotFound, match="Invalid rev id"):
            referencing.delete_branch(repo, by=alice, name=missing)
    with pytest.raises(RevisionNotFound):
        referencing.delete_tag(repo, by=alice, name="dev")
    for verb, name in ((referencing.delete_branch, "dev"), (referencing.delete_tag, "v1")):
        with pytest.raises(NotAllowed):
            verb(repo, by=charlie, name=name)
        verb(repo, by=alice, name=name)
    assert [ref.name for ref in repo.refs.all()] == ["refs/heads/main"]


def test_folders_list_in_gits_order(alice, make_repo):
    repo = make_repo(alice, files={"b.txt": "1", "b/x.txt": "2", "a-b.txt": "3", "b0.txt": "4", "b/c/d.txt": "5"})
    head = browsing.resolve_revision(repo, "main")
    assert [e.path for e in browsing.list_folder(repo, head)] == [
        ".gitattributes", "a-b.txt", "b.txt", "b", "b0.txt",
    ]  # fmt: skip
    assert [e.path for e in browsing.list_folder(repo, head, "b", recursive=True)] == ["b/c", "b/c/d.txt", "b/x.txt"]
    for path in ("nope", "b.txt", "b/nope", "b.txt/x"):
        with pytest.raises(EntryNotFound) as caught:
            browsing.list_folder(repo, head, path)
        assert caught.value.data == {"commit": head.oid}


@pytest.mark.parametrize("path", ["small.txt", "large.bin"])
def test_any_range_of_a_file_can_be_read(alice, make_repo, path):
    content = bytes(range(1, 200)) if path == "small.txt" else bytes(range(200))
    repo = make_repo(alice, files={path: content})
    entry = browsing.find(repo, browsing.resolve_revision(repo, "main"), path)
    assert (entry.blob is not None) == (path == "large.bin")
    for start, length in ((0, None), (0, 0), (5, 10), (190, 100), (0, 1)):
        expected = content[start:] if length is None else content[start : start + length]
        assert b"".join(browsing.stream(repo, entry, start, length)) == expected


def test_history_is_newest_first_and_comes_in_pages(alice, make_repo):
    repo = make_repo(alice)
    for n in range(5):
        commit(repo, alice, f"{n}.txt")
    head = browsing.resolve_revision(repo, "main")
    titles = [c.title for c in browsing.history(repo, head)]
    assert titles == [*(f"Change {n}.txt" for n in (4, 3, 2, 1, 0)), "initial commit"]
    assert [c.title for c in browsing.history(repo, head, 1, 2)] == titles[1:3]
    older = Commit.objects.get(repo=repo, title="Change 1.txt")
    assert [c.title for c in browsing.history(repo, older)] == titles[3:]


def test_the_last_commit_of_each_file_is_found(alice, make_repo):
    repo = make_repo(alice)
    for path in ("a.txt", "d/b.txt", "d/c.txt"):
        commit(repo, alice, path)
    commit(repo, alice, "a.txt", b"2")
    head = browsing.resolve_revision(repo, "main")
    found = last_commits(repo, head, ["a.txt", "d", "d/b.txt", "d/c.txt", ".gitattributes"])
    assert {path: c.title for path, c in found.items()} == {
        "a.txt": "Change a.txt", "d": "Change d/c.txt", "d/b.txt": "Change d/b.txt", "d/c.txt": "Change d/c.txt",
        ".gitattributes": "initial commit",
    }  # fmt: skip
    assert found["a.txt"] == head


def test_finding_last_commits_costs_few_queries(alice, make_repo, django_assert_max_num_queries):
    repo = make_repo(alice, files={f"f{n}.txt": str(n) for n in range(30)})
    for n in range(30):
        commit(repo, alice, f"f{n}.txt", b"new")
    with django_assert_max_num_queries(8):
        found = last_commits(repo, browsing.resolve_revision(repo, "main"), [f"f{n}.txt" for n in range(30)])
    assert {path: c.title for path, c in found.items()} == {f"f{n}.txt": f"Change f{n}.txt" for n in range(30)}


def test_lists_can_be_narrowed_by_owner_label_and_words(alice, charlie, make_repo):
    make_repo(alice, "Tiny-BERT", files={"README.md": "---\nlicense: mit\nlanguage: zh\n---\n"})
    make_repo(charlie, "bert-hidden", private=True, files={"README.md": "---\nlicense: mit\n---\n"})
    seen = Repo.objects.visible_to(alice)
    assert [r.name for r in seen.matching("bert tiny")] == ["Tiny-BERT"]
    assert [r.name for r in seen.matching("alice/tiny")] == ["Tiny-BERT"]
    assert [r.name for r in seen.labelled("license:mit", "zh")] == ["Tiny-BERT"]
    assert not seen.labelled("license:mit", "en").exists()
    assert [r.name for r in seen.owned_by("ALICE")] == ["Tiny-BERT"]
    assert not seen.owned_by("charlie").exists()
