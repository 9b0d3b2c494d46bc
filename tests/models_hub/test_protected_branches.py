"""Protected branches and tags: what rules forbid, by every door, and what opens them."""

from collections.abc import Callable

import pytest

from models_hub import (
    approving,
    merging,
    proposing,
    protecting,
    publishing,
    purging,
    pushing,
    referencing,
    restoring,
    squashing,
)
from models_hub.changes import PutFile
from models_hub.merging import Method
from models_hub.models import ZERO_OID, PullRequest, Ref, RefRule, Repo
from models_hub.protecting import ProtectedRef
from models_hub.pushing import RefCommand
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import User
from tests.models_hub.wire import LARGE


@pytest.fixture
def repo(alice: User, team, make_repo: Callable[..., Repo]) -> Repo:
    """A repository of the team, which alice leads and bob writes for."""
    return make_repo(alice, namespace="team", files={"a.txt": "a\n", "w.bin": LARGE})


def protect(repo: Repo, by: User, pattern: str = "main", people: list[User] | None = None, **rules) -> RefRule:
    return protecting.save_rule(RefRule(repo=repo, pattern=pattern, **rules), by=by, people=people)


def head_of(repo: Repo, name: str = "refs/heads/main") -> str:
    return Ref.objects.get(repo=repo, name=name).oid


def put(repo: Repo, by: User, path: str = "b.txt", branch: str = "main"):
    return publishing.commit(repo=repo, by=by, changes=[PutFile(path, b"new\n")], title="Put", branch=branch)


def propose(repo: Repo, by: User, path: str = "c.txt") -> PullRequest:
    return publishing.propose(repo=repo, by=by, changes=[PutFile(path, b"c\n")], title="Add c")[0]


def approve(pull: PullRequest, by: User, verdict: str = "approved"):
    return proposing.review(pull, by=by, verdict=verdict, head=head_of(pull.repo, pull.ref))


def by_push(repo, by, old, new, name="refs/heads/main"):
    pushing.push(repo=repo, by=by, commands=[RefCommand(name, old, new)])


# What brings something to a branch without a pull request, by whoever opens that door.
def commit_door(repo, by, other):
    put(repo, by)


def push_door(repo, by, other):
    by_push(repo, by, head_of(repo), other)


def restoration_door(repo, by, other):
    head, earlier = (publishing.browsing.resolve_revision(repo, oid) for oid in (head_of(repo), other))
    changes = restoring.restored(repo, head, earlier)
    publishing.commit(repo=repo, by=by, changes=changes, title="Back")


def squash_door(repo, by, other):
    squashing.super_squash(repo, by=by, message="One")


DOORS = [commit_door, push_door, restoration_door, squash_door]


@pytest.fixture
def other(repo, bob) -> str:
    """A commit on another branch, ahead of main."""
    referencing.create_branch(repo, by=bob, name="dev")
    return put(repo, bob, "d.txt", branch="dev").oid


@pytest.mark.parametrize("door", DOORS)
def test_nothing_comes_to_a_branch_that_takes_pull_requests_only(repo, alice, bob, other, door):
    protect(repo, alice, requires_pull_request=True)
    before = head_of(repo)
    for who in (alice, bob):
        with pytest.raises(ProtectedRef, match="protected branch"):
            door(repo, who, other)
    assert head_of(repo) == before


@pytest.mark.parametrize("door", DOORS)
def test_all_doors_are_open_without_a_rule_for_the_branch(repo, alice, bob, other, door):
    protect(repo, alice, "release/*", requires_pull_request=True)
    before = head_of(repo)
    door(repo, bob, other)
    assert head_of(repo) != before


@pytest.mark.parametrize("door", DOORS)
def test_who_is_not_among_those_who_may_change_it_does_not(repo, alice, bob, other, door):
    protect(repo, alice, movers="admins", forbids_force=False)
    with pytest.raises(ProtectedRef):
        door(repo, bob, other)
    door(repo, alice, other)


def test_listed_people_may_change_it(repo, alice, bob):
    protect(repo, alice, movers="listed", people=[bob])
    put(repo, bob)
    with pytest.raises(ProtectedRef):
        put(repo, alice, "e.txt")


def test_commits_of_a_protected_branch_are_not_dropped(repo, alice, other):
    old = head_of(repo, "refs/heads/dev")
    protect(repo, alice, "d*")
    with pytest.raises(ProtectedRef, match="dropped"):
        by_push(repo, alice, old, repo.head, "refs/heads/dev")
    with pytest.raises(ProtectedRef, match="dropped"):
        squashing.super_squash(repo, by=alice, branch="dev", message="One")
    put(repo, alice, "e.txt", branch="dev")


def test_a_protected_branch_is_not_deleted(repo, alice, bob, other):
    protect(repo, alice, "dev")
    with pytest.raises(ProtectedRef, match="deleted"):
        referencing.delete_branch(repo, by=alice, name="dev")
    with pytest.raises(ProtectedRef, match="deleted"):
        by_push(repo, alice, head_of(repo, "refs/heads/dev"), ZERO_OID, "refs/heads/dev")


def test_only_admins_begin_branches_that_take_pull_requests(repo, alice, bob):
    protect(repo, alice, "release/*", requires_pull_request=True)
    with pytest.raises(ProtectedRef, match="begin"):
        referencing.create_branch(repo, by=bob, name="release/1")
    with pytest.raises(ProtectedRef, match="begin"):
        by_push(repo, bob, ZERO_OID, repo.head, "refs/heads/release/1")
    referencing.create_branch(repo, by=alice, name="release/1")
    referencing.create_branch(repo, by=bob, name="release/1/fix")


def test_a_protected_tag_stays_where_it_is(repo, alice, bob, other):
    referencing.create_tag(repo, by=bob, name="v1")
    protect(repo, alice, "v*", target="tag")
    tag = "refs/tags/v1"
    with pytest.raises(ProtectedRef, match="moved"):
        by_push(repo, alice, head_of(repo, tag), other, tag)
    with pytest.raises(ProtectedRef, match="deleted"):
        referencing.delete_tag(repo, by=alice, name="v1")
    with pytest.raises(ProtectedRef, match="deleted"):
        by_push(repo, alice, head_of(repo, tag), ZERO_OID, tag)
    referencing.create_tag(repo, by=bob, name="v2")


def test_a_rule_for_a_branch_says_nothing_of_a_tag(repo, alice):
    protect(repo, alice, "v1")
    referencing.create_tag(repo, by=alice, name="v1")
    referencing.delete_tag(repo, by=alice, name="v1")


@pytest.mark.parametrize("bypass", ["admins", "listed"])
def test_some_may_go_round_a_rule(repo, alice, bob, bypass):
    protect(repo, alice, requires_pull_request=True, bypass=bypass, people=[alice])
    put(repo, alice)
    with pytest.raises(ProtectedRef):
        put(repo, bob, "e.txt")


def test_all_rules_that_match_hold(repo, alice, bob):
    protect(repo, alice, "main", bypass="admins", requires_pull_request=True)
    protect(repo, alice, "*", movers="listed", people=[bob])
    with pytest.raises(ProtectedRef):
        put(repo, alice)
    with pytest.raises(ProtectedRef):
        put(repo, bob)


def test_a_merge_waits_for_approvals_of_others_who_may_write(repo, alice, bob, charlie):
    protect(repo, alice, requires_pull_request=True, approvals=1)
    pull = propose(repo, charlie)
    with pytest.raises(ProtectedRef, match="1 approval"):
        merging.merge(pull, by=alice)
    with pytest.raises(NotAllowed, match="author"):
        approve(pull, charlie)
    approve(pull, bob)
    merging.merge(pull, by=alice)
    pull.refresh_from_db()
    assert pull.status == "merged"


def test_the_word_of_a_stranger_does_not_count(repo, alice, charlie, morgan, bob):
    protect(repo, alice, requires_pull_request=True, approvals=1)
    pull = propose(repo, bob)
    approve(pull, charlie)
    assert approving.standing(pull).approvers == []
    with pytest.raises(ProtectedRef):
        merging.merge(pull, by=alice)


def test_new_commits_dismiss_reviews(repo, alice, bob, charlie):
    pull = propose(repo, charlie)
    approve(pull, bob)
    assert approving.standing(pull).approvers == ["bob"]
    put(repo, charlie, "e.txt", branch=pull.ref)
    assert approving.standing(pull).approvers == []
    assert [one.is_current for one in approving.standing(pull).said] == [False]


def test_nobody_approves_what_they_have_pushed_themselves(repo, alice, bob, charlie):
    pull = propose(repo, charlie)
    put(repo, bob, "e.txt", branch=pull.ref)
    approve(pull, bob)
    assert approving.standing(pull).approvers == []
    approve(pull, alice)
    assert approving.standing(pull).approvers == ["alice"]


def test_who_may_no_longer_write_does_not_count(repo, alice, bob, charlie, team):
    pull = propose(repo, charlie)
    approve(pull, bob)
    team.memberships.filter(user=bob).delete()
    assert approving.standing(pull).approvers == []


def test_a_wish_for_changes_holds_a_merge_back(repo, alice, bob, charlie):
    protect(repo, alice, requires_pull_request=True, approvals=1)
    pull = propose(repo, charlie)
    approve(pull, alice)
    approve(pull, bob, "changes")
    with pytest.raises(ProtectedRef, match="bob asks for changes"):
        merging.merge(pull, by=alice)
    approve(pull, bob)
    merging.merge(pull, by=alice)


def test_a_review_of_commits_that_are_no_longer_the_newest_is_refused(repo, bob, charlie):
    pull = propose(repo, charlie)
    seen = head_of(repo, pull.ref)
    put(repo, charlie, "e.txt", branch=pull.ref)
    with pytest.raises(Conflict, match="new commits"):
        proposing.review(pull, by=bob, verdict="approved", head=seen)


def test_a_decided_pull_request_is_not_reviewed(repo, alice, bob, charlie):
    pull = propose(repo, charlie)
    merging.merge(pull, by=alice)
    with pytest.raises(Conflict, match="merged"):
        approve(pull, bob)


def test_a_linear_branch_takes_no_merges(repo, alice, charlie):
    protect(repo, alice, is_linear=True)
    pull = propose(repo, charlie)
    put(repo, alice)
    with pytest.raises(ProtectedRef, match="one line"):
        merging.merge(pull, by=alice)
    merging.merge(pull, by=alice, method=Method.SQUASH)
    again = propose(repo, charlie, "f.txt")
    merging.merge(again, by=alice, method=Method.FAST_FORWARD)


def test_content_is_not_purged_from_a_protected_history(repo, alice):
    protect(repo, alice)
    with pytest.raises(ProtectedRef):
        purging.purge(repo, [repo.repo_blobs.get().blob.sha256], by=alice, rewrite_history=True)


@pytest.mark.parametrize(
    ("pattern", "name", "holds"),
    [
        ("main", "main", True),
        ("main", "maine", False),
        ("release/*", "release/1.0", True),
        ("release/*", "release", False),
        ("release/*", "release/1/2", False),
        ("*", "main", True),
        ("*", "a/b", False),
        ("v*.*", "v1.2", True),
    ],
)
def test_a_pattern_matches_names(pattern, name, holds):
    assert RefRule(pattern=pattern).matches(f"refs/heads/{name}") is holds
    assert not RefRule(pattern=pattern).matches(f"refs/tags/{name}")


@pytest.mark.parametrize("pattern", ["", "a b", "a..b", "/a", "a/", "a//b", "[ab]", "a?", "a\n"])
def test_what_no_name_could_match_is_no_pattern(repo, alice, pattern):
    with pytest.raises(InvalidInput):
        protect(repo, alice, pattern)


def test_a_pattern_has_one_rule(repo, alice):
    protect(repo, alice)
    with pytest.raises(Conflict):
        protect(repo, alice)


def test_only_admins_change_rules(repo, alice, bob, charlie):
    for who in (bob, charlie):
        with pytest.raises(NotAllowed):
            protect(repo, who)
    rule = protect(repo, alice)
    with pytest.raises(NotAllowed):
        protecting.remove_rule(rule, by=bob)
    protecting.remove_rule(rule, by=alice)
    assert not RefRule.objects.exists()


def test_approvals_are_asked_for_pull_requests_only(repo, alice):
    with pytest.raises(InvalidInput):
        protect(repo, alice, approvals=1)
