"""Pull requests: who may open, grow, close and reopen them, and how much strangers may send."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from models_hub import browsing, proposing, publishing
from models_hub.changes import PutFile
from models_hub.models import Numbering, PullRequest, Ref, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed, QuotaExceeded, SignInRequired, StaleParent
from portal.models import User
from portal.reach import Reach


@pytest.fixture
def repo(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(alice, files={"a.txt": "a\n"})


def propose(repo: Repo, by: User, text: bytes = b"b\n", **options: object) -> PullRequest:
    changes = [PutFile("b.txt", text)]
    return publishing.propose(repo=repo, by=by, changes=changes, title="Add b", **options)[0]


def push(repo: Repo, by: User, pull: PullRequest, text: bytes = b"more\n") -> str:
    return publishing.commit(repo=repo, by=by, changes=[PutFile("b.txt", text)], title="More", branch=pull.ref).oid


def test_a_stranger_proposes_and_the_branch_stays(repo, charlie):
    before = Ref.objects.get(repo=repo, name="refs/heads/main").oid

    pull, made = publishing.propose(repo=repo, by=charlie, changes=[PutFile("b.txt", b"b\n")], title="Add b")

    assert (pull.number, pull.status, pull.base, pull.author) == (1, "open", "main", charlie)
    assert Ref.objects.get(repo=repo, name="refs/pr/1").oid == made.oid
    assert Ref.objects.get(repo=repo, name="refs/heads/main").oid == before == made.parents[0]
    assert Repo.objects.get(pk=repo.pk).head == before


def test_numbers_go_on_and_are_not_used_again(repo, charlie):
    numbers = [propose(repo, charlie, b"%d\n" % n).number for n in range(3)]

    assert numbers == [1, 2, 3]
    assert Numbering.objects.get(repo=repo).last == 3


def test_nobody_proposes_without_signing_in(repo):
    with pytest.raises(SignInRequired):
        propose(repo, AnonymousUser())


def test_a_limited_token_without_discussions_proposes_nothing(repo, charlie):
    charlie.reach = Reach(account=frozenset({"jobs"}))
    with pytest.raises(NotAllowed):
        propose(repo, charlie)
    charlie.reach = Reach(account=frozenset({"discussions"}))
    assert propose(repo, charlie).number == 1


def test_what_changes_nothing_opens_no_pull_request(repo, charlie):
    with pytest.raises(InvalidInput):
        publishing.propose(repo=repo, by=charlie, changes=[PutFile("a.txt", b"a\n")], title="Same")
    assert not PullRequest.objects.exists()


@pytest.mark.parametrize("base", ["nowhere", "refs/pr/1", "a" * 40])
def test_the_base_must_be_a_branch(repo, charlie, base):
    with pytest.raises(browsing.RevisionNotFound):
        propose(repo, charlie, base=base)


def test_a_commit_is_no_base(repo, charlie):
    with pytest.raises(browsing.RevisionNotFound):
        propose(repo, charlie, base=repo.head)


def test_a_proposal_on_a_head_that_moved_is_stale(repo, alice, charlie):
    old = repo.head
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"new\n")], title="New")
    with pytest.raises(StaleParent):
        propose(repo, charlie, parent=old)


def test_author_and_writers_push_to_it_and_others_do_not(repo, alice, bob, charlie):
    pull = propose(repo, charlie)

    push(repo, charlie, pull, b"by charlie\n")
    last = push(repo, alice, pull, b"by alice\n")

    assert browsing.resolve_revision(repo, "refs/pr/1").oid == last
    with pytest.raises(NotAllowed):
        push(repo, bob, pull)


def test_a_pull_request_gives_no_right_to_the_branch(repo, charlie):
    propose(repo, charlie)
    with pytest.raises(NotAllowed):
        publishing.commit(repo=repo, by=charlie, changes=[PutFile("a.txt", b"x")], title="x")


def test_a_pull_request_that_is_not_there_takes_no_commit(repo, alice):
    with pytest.raises(browsing.RevisionNotFound):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"x")], title="x", branch="refs/pr/9")


def test_a_closed_one_takes_no_commit_until_it_is_reopened(repo, alice, charlie):
    pull = propose(repo, charlie)
    proposing.change_status(pull, by=alice, status="closed")
    with pytest.raises(Conflict, match="reopen"):
        push(repo, charlie, pull)

    proposing.change_status(pull, by=charlie, status="open")
    push(repo, charlie, pull)


def test_strangers_neither_close_nor_reopen(repo, bob, charlie):
    pull = propose(repo, charlie)
    with pytest.raises(NotAllowed):
        proposing.change_status(pull, by=bob, status="closed")


def test_a_moderator_closes_what_is_not_his(repo, morgan, charlie):
    pull = propose(repo, charlie)
    proposing.change_status(pull, by=morgan, status="closed")
    assert PullRequest.objects.get().status == "closed"


def test_the_status_it_has_already_is_a_conflict(repo, charlie):
    pull = propose(repo, charlie)
    with pytest.raises(Conflict):
        proposing.change_status(pull, by=charlie, status="open")


def test_merged_is_no_status_that_one_sets(repo, charlie):
    with pytest.raises(InvalidInput):
        proposing.change_status(propose(repo, charlie), by=charlie, status="merged")


def test_a_stranger_has_few_open_at_once_and_closing_makes_room(repo, charlie, monkeypatch):
    monkeypatch.setattr(proposing, "MAX_LIVE_PER_PROPOSER", 1)
    first = propose(repo, charlie)
    with pytest.raises(QuotaExceeded):
        propose(repo, charlie, b"2\n")

    proposing.change_status(first, by=charlie, status="closed")
    propose(repo, charlie, b"2\n")
    with pytest.raises(QuotaExceeded):
        proposing.change_status(first, by=charlie, status="open")


def test_a_stranger_sends_only_so_many_bytes_and_a_writer_is_not_counted(repo, alice, charlie, monkeypatch):
    monkeypatch.setattr(proposing, "MAX_BYTES_PER_PROPOSER", 100)
    propose(repo, charlie, b"x" * 100)
    with pytest.raises(QuotaExceeded):
        propose(repo, charlie, b"y")
    propose(repo, alice, b"z" * 200)


def test_a_reader_of_a_private_repository_may_propose(team, alice, charlie, make_repo):
    team.add(charlie, role="read", by=alice)
    repo = make_repo(alice, namespace="team", private=True, files={"a.txt": "a\n"})

    assert propose(repo, charlie).number == 1
