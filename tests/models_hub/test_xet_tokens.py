"""Upload tokens: what they grant, and when they stop."""

from collections.abc import Callable

import pytest
from django.core import signing

from models_hub.models import Repo
from models_hub.xet import tokens
from models_hub.xet.tokens import Grant, TokenExpired, TokenInvalid, TokenMissing
from portal.errors import NotAllowed, NotFound
from portal.models import AccessToken, Organization, User

MakeRepo = Callable[..., Repo]


def read(token: str) -> Grant:
    return tokens.read(f"Bearer {token}")


def test_a_token_grants_its_repository_to_its_user(alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, private=True)
    token, expires = tokens.issue(repo=repo, user=alice, ttl=600)
    assert read(token) == Grant(repo=repo, user=alice)
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
        read(signing.dumps(claims, salt="another purpose"))
    with pytest.raises(TokenInvalid):
        read(signing.dumps({**claims, "scope": "read"}, salt=tokens.SALT))


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
    assert read(token).user == bob
    bob.memberships.all().delete()
    with pytest.raises(NotAllowed):
        read(token)
    Repo.objects.filter(pk=repo.pk).update(private=True)
    with pytest.raises(NotFound):
        read(token)
