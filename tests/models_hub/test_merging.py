"""Merging: three trees become one, in three ways, or the paths are named on which they cannot agree."""

from collections.abc import Callable

import pytest

from models_hub import ancestry, badge_rules, browsing, merging, proposing, publishing, referencing, tree_merging
from models_hub.changes import Delete, PutFile
from models_hub.git.objects import FILE_MODE, TreeItem
from models_hub.merging import MergeConflict, Method
from models_hub.models import Commit, Proposer, PullRequest, Ref, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Event, User
from tests.models_hub.wire import LARGE


def item(text: str) -> TreeItem:
    return TreeItem(text, FILE_MODE, text * 40)


def merged(base: dict, ours: dict, theirs: dict) -> tuple[dict, list[str]]:
    trees = [{path: item(text) for path, text in side.items()} for side in (base, ours, theirs)]
    changes = [
        {p: (trees[0].get(p), side.get(p)) for p in trees[0].keys() | side if trees[0].get(p) != side.get(p)}
        for side in trees[1:]
    ]
    made = tree_merging.join(*changes, lambda _oids: {})
    files = made.apply(trees[1])
    return {path: found.name for path, found in files.items()}, [clash.path for clash in made.clashes]


def head_of(repo: Repo, branch: str = "main") -> str:
    return Ref.objects.get(repo=repo, name=f"refs/heads/{branch}").oid


def text_of(repo: Repo, path: str, revision: str = "main") -> bytes:
    commit = browsing.resolve_revision(repo, revision)
    return browsing.read(repo, browsing.find(repo, commit, path), 1000)


def parents_of(commit: Commit) -> list[str]:
    return list(commit.parents)


def put(repo: Repo, by: User, path: str, text: str, branch: str = "main") -> Commit:
    return publishing.commit(
        repo=repo, by=by, changes=[PutFile(path, text.encode())], title=f"Put {path}", branch=branch
    )


@pytest.fixture
def repo(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(alice, files={"a.txt": "a\n", "b.txt": "b\n"})


@pytest.fixture
def propose(repo: Repo, charlie: User) -> Callable[..., PullRequest]:
    def made(path: str = "c.txt", text: str = "c\n", title: str = "Add c") -> PullRequest:
        changes = [PutFile(path, text.encode())]
        return publishing.propose(repo=repo, by=charlie, changes=changes, title=title)[0]

    return made


def test_changes_of_either_side_are_taken_and_those_of_both_are_named():
    base = {"same": "0", "ours": "0", "theirs": "0", "gone": "0", "both": "0", "alike": "0"}
    ours = {"same": "0", "ours": "1", "theirs": "0", "gone": "0", "both": "1", "alike": "2", "new": "1"}
    theirs = {"same": "0", "ours": "0", "theirs": "2", "both": "2", "alike": "2", "newer": "2"}

    files, clashing = merged(base, ours, theirs)

    assert clashing == ["both"]
    assert files == {"same": "0", "ours": "1", "theirs": "2", "both": "1", "alike": "2", "new": "1", "newer": "2"}


def test_a_file_removed_on_one_side_and_changed_on_the_other_is_in_conflict():
    assert merged({"x": "0"}, {}, {"x": "1"})[1] == ["x"]
    assert merged({"x": "0"}, {"x": "1"}, {})[1] == ["x"]


def test_a_file_where_the_other_side_has_a_folder_is_in_conflict():
    assert merged({}, {"x": "0"}, {"x/y": "1"})[1] == ["x"]


def test_a_merge_commit_has_both_histories_and_names_author_and_merger(repo, propose, alice, charlie):
    pull = propose()
    mine = put(repo, alice, "a.txt", "changed\n")

    made = merging.merge(pull, by=alice, comment="Thank you")

    proposed = Ref.objects.get(repo=repo, name=pull.ref).oid
    assert parents_of(made) == [mine.oid, proposed]
    assert made.title == "Merge pull request #1: Add c"
    assert made.author == alice
    assert "charlie" in made.description
    assert (text_of(repo, "a.txt"), text_of(repo, "c.txt")) == (b"changed\n", b"c\n")
    assert head_of(repo) == made.oid == Repo.objects.get(pk=repo.pk).head
    pull.refresh_from_db()
    assert (pull.status, pull.merge_commit, pull.merged_by) == ("merged", made.oid, alice)


def test_a_squash_is_one_commit_of_the_author(repo, propose, alice, charlie):
    pull = propose()
    put(repo, charlie, "d.txt", "d\n", branch=pull.ref)
    mine = put(repo, alice, "a.txt", "changed\n")

    made = merging.merge(pull, by=alice, method=Method.SQUASH)

    assert parents_of(made) == [mine.oid]
    assert made.author == charlie
    assert made.title == "Add c (#1)"
    assert text_of(repo, "d.txt") == b"d\n"


def test_fast_forward_brings_the_commits_themselves(repo, propose, alice):
    pull = propose()

    made = merging.merge(pull, by=alice, method=Method.FAST_FORWARD)

    assert made.oid == head_of(repo) == Ref.objects.get(repo=repo, name=pull.ref).oid


def test_fast_forward_is_refused_once_the_branch_has_commits_of_its_own(repo, propose, alice):
    pull = propose()
    put(repo, alice, "a.txt", "changed\n")

    with pytest.raises(Conflict, match="merge or squash"):
        merging.merge(pull, by=alice, method=Method.FAST_FORWARD)


def test_a_conflict_lists_the_paths_and_changes_nothing(repo, propose, alice):
    pull = propose("a.txt", "theirs\n")
    mine = put(repo, alice, "a.txt", "ours\n")

    with pytest.raises(MergeConflict, match=r"a\.txt") as refused:
        merging.merge(pull, by=alice)

    assert refused.value.data["paths"] == ["a.txt"]
    assert head_of(repo) == mine.oid
    pull.refresh_from_db()
    assert pull.status == "open"


def test_a_commit_to_the_pull_request_that_takes_up_the_branch_ends_the_conflict(repo, propose, alice, charlie):
    pull = propose("a.txt", "theirs\n")
    put(repo, alice, "a.txt", "ours\n")
    put(repo, charlie, "a.txt", "ours\n", branch=pull.ref)

    merging.merge(pull, by=alice)

    assert text_of(repo, "a.txt") == b"ours\n"


def test_a_removal_is_merged(repo, alice, charlie):
    pull, _made = publishing.propose(repo=repo, by=charlie, changes=[Delete("b.txt")], title="Remove b")

    merging.merge(pull, by=alice)

    with pytest.raises(browsing.EntryNotFound):
        text_of(repo, "b.txt")


def test_a_merge_of_what_the_reviewer_has_not_seen_is_refused(repo, propose, alice, charlie):
    pull = propose()
    seen = Ref.objects.get(repo=repo, name=pull.ref).oid
    put(repo, charlie, "evil.txt", "surprise\n", branch=pull.ref)

    with pytest.raises(Conflict, match="new commits"):
        merging.merge(pull, by=alice, head=seen)


def test_a_branch_that_moves_during_the_merge_is_followed_and_loses_nothing(repo, propose, alice, monkeypatch):
    pull, prepare = propose(), merging._prepare
    moves = iter(("x.txt", "y.txt"))

    def prepared(*arguments):
        found = prepare(*arguments)
        if (path := next(moves, None)) is not None:
            put(repo, alice, path, "meanwhile\n")
        return found

    monkeypatch.setattr(merging, "_prepare", prepared)
    merging.merge(pull, by=alice)

    assert text_of(repo, "x.txt") == text_of(repo, "y.txt") == b"meanwhile\n"
    assert text_of(repo, "c.txt") == b"c\n"


def test_of_two_merges_of_one_pull_request_the_second_is_refused(repo, propose, alice):
    pull, again = propose(), PullRequest.objects.get()
    again.repo = pull.repo
    merging.merge(pull, by=alice)

    with pytest.raises(Conflict, match="merged already"):
        merging.merge(again, by=alice)


def test_a_draft_must_be_opened_first_and_an_empty_one_may_then_be_merged(repo, alice):
    pull = proposing.open_pull_request(repo=repo, by=alice, title="Nothing yet", draft=True)
    with pytest.raises(Conflict, match="draft"):
        merging.merge(pull, by=alice)
    proposing.change_status(pull, by=alice, status="open")

    made = merging.merge(pull, by=alice)

    assert made.oid == head_of(repo) == pull.merge_commit


def test_only_writers_merge(repo, propose, charlie):
    with pytest.raises(NotAllowed):
        merging.merge(propose(), by=charlie)


def test_an_unknown_method_is_refused(repo, propose, alice):
    with pytest.raises(InvalidInput):
        merging.merge(propose(), by=alice, method="octopus")


def test_a_merge_gives_the_proposer_room_again(repo, propose, alice, charlie):
    pull = propose()
    assert Proposer.objects.get(repo=repo, user=charlie).sent == 2

    merging.merge(pull, by=alice)

    assert not Proposer.objects.filter(repo=repo, user=charlie).exists()


def test_a_merge_records_the_commit_and_the_decision(repo, propose, alice):
    merging.merge(propose(), by=alice)

    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds[-2:] == ["repo.committed", "discussion.merged"]


def test_the_merge_base_is_the_newest_common_commit(repo, propose, alice, charlie):
    pull = propose()
    old = head_of(repo)
    new = put(repo, alice, "a.txt", "changed\n")

    assert ancestry.merge_base(repo, new.oid, Ref.objects.get(name=pull.ref).oid) == old
    assert ancestry.merge_base(repo, new.oid, new.oid) == new.oid


def test_conflicts_are_foreseen_as_the_merge_finds_them(repo, propose, alice):
    pull = propose("a.txt", "theirs\n")
    put(repo, alice, "a.txt", "ours\n")
    put(repo, alice, "b.txt", "ours\n")
    assert merging.conflicts(repo, merging.sides(pull)) == [("a.txt", "the same lines changed on both sides")]
    with pytest.raises(MergeConflict) as refused:
        merging.merge(pull, by=alice)
    assert refused.value.data["paths"] == ["a.txt"]


LINES = [b"%d\n" % n for n in range(9)]


@pytest.mark.parametrize("method", [Method.MERGE, Method.SQUASH])
def test_a_text_changed_in_different_places_is_merged_by_lines(repo, alice, charlie, method):
    put(repo, alice, "README.md", b"".join(LINES).decode())
    pull = publishing.propose(
        repo=repo, by=charlie, title="Top", changes=[PutFile("README.md", b"".join([b"top\n", *LINES[1:]]))]
    )[0]
    put(repo, alice, "README.md", b"".join([*LINES[:-1], b"bottom\n"]).decode())
    assert merging.conflicts(repo, merging.sides(pull)) == []

    merging.merge(pull, by=alice, method=method)

    assert text_of(repo, "README.md") == b"".join([b"top\n", *LINES[1:-1], b"bottom\n"])


def test_large_content_is_taken_whole(repo, alice, charlie):
    put(repo, alice, "w.bin", "0" * 30)
    publishing.commit(repo=repo, by=alice, changes=[PutFile("w.bin", b"\0" + LARGE)], title="One")
    pull = publishing.propose(repo=repo, by=charlie, title="Two", changes=[PutFile("w.bin", b"\0two" + LARGE)])[0]
    publishing.commit(repo=repo, by=alice, changes=[PutFile("w.bin", b"\0three" + LARGE)], title="Three")
    assert [clash.path for clash in merging.conflicts(repo, merging.sides(pull))] == ["w.bin"]


def test_a_file_in_the_way_of_a_folder_is_foreseen(repo, propose, alice):
    pull = propose("new/below.txt", "theirs\n")
    put(repo, alice, "new", "ours\n")
    assert [clash.path for clash in merging.conflicts(repo, merging.sides(pull))] == ["new"]


def test_a_base_branch_that_is_gone_says_so(repo, alice, charlie):
    referencing.create_branch(repo, by=alice, name="dev")
    changes = [PutFile("c.txt", b"c\n")]
    pull, _made = publishing.propose(repo=repo, by=charlie, changes=changes, title="Add c", base="dev")
    referencing.delete_branch(repo, by=alice, name="dev")
    with pytest.raises(Conflict, match="dev"):
        merging.merge(pull, by=alice)


def test_merged_changes_to_documents_alone_are_told_from_others(alice, bob, make_repo):
    repo = make_repo(alice, files={"weights.bin": b"1"})
    for path in ("README.md", "weights.bin"):
        pull, _commit = publishing.propose(repo=repo, by=bob, changes=[PutFile(path, b"new")], title=f"Mend {path}")
        merging.merge(pull, by=alice)
    assert len(list(badge_rules.merged([bob.pk]))) == 2
    assert len(list(badge_rules.documents([bob.pk]))) == 1
