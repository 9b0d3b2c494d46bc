"""Upload tokens: what they grant, and when they stop."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import signing

from models_hub import referencing
from models_hub.models import AccessRequest, Repo
from models_hub.permissions import GatedRepo
from models_hub.xet import tokens
from models_hub.xet.tokens import Grant, Scope, TokenExpired, TokenInvalid, TokenMissing
from portal.errors import NotAllowed, NotFound
from portal.models import AccessToken, Organization, User

MakeRepo = Callable[..., Repo]


def read(token: str) -> Grant:
    return tokens.read(f"Bearer {token}")


def test_a_token_grants_its_repository_to_its_user(alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, private=True)
    token, expires = tokens.issue(repo=repo, user=alice, ttl=600)
    assert read(token) == Grant(repo=repo, user=alice)
    assert read(token).sender() == alice
    assert isinstance(expires, int)


@pytest.mark.parametrize("header", ["", "Bearer ", "Basic abc", "abc"])
def test_no_token_is_told_apart(header: str) -> None:
    with pytest.raises(TokenMissing):
        tokens.read(header)


def test_an_altered_token_is_refused(alice: User, make_repo: MakeRepo) -> None:
    token, _expires = tokens.issue(repo=make_repo(alice), user=alice, ttl=600)
    for altered in (token[:-1], "x" + token, token.replace(":", ".", 1), "nonsense"):
        with pytest.raises(TokenInvalid):
            read(altered)


def test_a_token_signed_for_something_else_is_refused(alice: User, make_repo: MakeRepo) -> None:
    claims = {"repo": make_repo(alice).pk, "user": alice.pk, "scope": "write", "exp": 2**40, "access": None}
    with pytest.raises(TokenInvalid):
        read(signing.dumps({**claims, "rev": "main"}, salt="another purpose"))
    with pytest.raises(TokenInvalid):
        read(signing.dumps(claims, salt=tokens.SALT))


def test_a_token_ends(alice: User, make_repo: MakeRepo) -> None:
    token, _expires = tokens.issue(repo=make_repo(alice), user=alice, ttl=0)
    with pytest.raises(TokenExpired):
        read(token)


def test_a_token_ends_with_the_account(alice: User, make_repo: MakeRepo) -> None:
    token, _expires = tokens.issue(repo=make_repo(alice), user=alice, ttl=600)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(TokenInvalid):
        read(token)


def test_a_token_ends_with_the_access_token_it_was_asked_for_with(alice: User, make_repo: MakeRepo) -> None:
    access, _secret = AccessToken.issue(user=alice, name="laptop", role="write")
    token, _expires = tokens.issue(repo=make_repo(alice), user=alice, ttl=600, access=access)
    assert read(token).user == alice
    access.revoke()
    with pytest.raises(TokenInvalid, match="revoked"):
        read(token)


def test_a_token_ends_with_the_repository(alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice)
    token, _expires = tokens.issue(repo=repo, user=alice, ttl=600)
    Repo.objects.filter(pk=repo.pk).delete()
    with pytest.raises(NotFound):
        read(token)


def test_a_token_ends_with_the_right_to_write(alice: User, bob: User, team: Organization, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, namespace="team")
    token, _expires = tokens.issue(repo=repo, user=bob, ttl=600)
    assert read(token).sender() == bob
    bob.memberships.all().delete()
    with pytest.raises(NotAllowed):
        read(token).sender()
    Repo.objects.filter(pk=repo.pk).update(private=True)
    with pytest.raises(NotFound):
        read(token)


def test_a_token_to_read_sends_nothing(alice: User, make_repo: MakeRepo) -> None:
    token, _expires = tokens.issue(repo=make_repo(alice), user=alice, ttl=600, scope=Scope.READ)
    with pytest.raises(NotAllowed, match="xet-write-token"):
        read(token).sender()


def test_a_token_to_propose_is_good_for_whoever_may_read(alice: User, charlie: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice)
    token, _expires = tokens.issue(repo=repo, user=charlie, ttl=600, scope=Scope.PROPOSE)
    assert read(token).sender() == charlie
    Repo.objects.filter(pk=repo.pk).update(private=True)
    with pytest.raises(NotFound):
        read(token)


def test_a_token_ends_with_its_revision(alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, files={"a.txt": "a"})
    referencing.create_branch(repo, by=alice, name="side")
    token, _expires = tokens.issue(repo=repo, user=alice, ttl=600, scope=Scope.READ, revision="side")
    assert read(token).revision == "side"
    referencing.delete_branch(repo, by=alice, name="side")
    with pytest.raises(NotFound, match="side"):
        read(token)


def test_nobody_reads_a_gated_repository_without_being_let_in(alice: User, charlie: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice)
    anonymous, _expires = tokens.issue(repo=repo, user=AnonymousUser(), ttl=600, scope=Scope.READ)
    his, _expires = tokens.issue(repo=repo, user=charlie, ttl=600, scope=Scope.READ)
    assert read(anonymous).user.is_anonymous
    assert read(his).user == charlie
    Repo.objects.filter(pk=repo.pk).update(gated=Repo.Gate.MANUAL)
    for token in (anonymous, his):
        with pytest.raises(GatedRepo):
            read(token)
    AccessRequest.objects.create(repo=repo, user=charlie, status=AccessRequest.Status.ACCEPTED)
    assert read(his).user == charlie
