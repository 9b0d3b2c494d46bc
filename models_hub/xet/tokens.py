"""Access tokens of the Xet API: signed, short-lived, good for writing to one repository as one user."""

import time
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from models_hub.models import Repo
from models_hub.permissions import can_write
from portal.errors import NotAllowed, NotFound, SignInRequired
from portal.models import AccessToken, User

SALT = "models_hub.xet.tokens"
WRITE = "write"


class TokenMissing(SignInRequired):
    """No access token came with the request."""

    code = "xet_token_missing"


class TokenInvalid(SignInRequired):
    """The token was not issued here, was altered, or its account is closed or its access token revoked."""

    code = "xet_token_invalid"


class TokenExpired(SignInRequired):
    """The token was good but its time is over."""

    code = "xet_token_expired"


@dataclass(frozen=True)
class Grant:
    """What a token gives now: the repository, and the user on whose behalf."""

    repo: Repo
    user: User


def issue(*, repo: Repo, user: User, ttl: int, access: AccessToken | None = None) -> tuple[str, int]:
    """Return a token to write to `repo` as `user`, who may do so, and the Unix time at which it ends.

    With the access token that it was asked for with, `access`, it ends no later than that one.
    """
    expires = int(time.time()) + ttl
    claims = {"repo": repo.pk, "user": user.pk, "scope": WRITE, "exp": expires, "access": access.pk if access else None}
    return signing.dumps(claims, salt=SALT), expires


def read(header: str) -> Grant:
    """Return what the Authorization header grants at this moment.

    Raises TokenMissing, TokenInvalid or TokenExpired; NotFound when the repository is gone from the user's sight;
    NotAllowed when the user may no longer write to it.
    """
    claims = _claims(header)
    user = User.objects.filter(pk=claims["user"], is_active=True).first()
    if user is None:
        raise TokenInvalid(_("The account of this upload token is closed."))
    if claims["access"] is not None and not AccessToken.objects.live().filter(pk=claims["access"], user=user).exists():
        raise TokenInvalid(_("The access token that this upload token was asked for with was revoked."))
    repo = Repo.objects.visible_to(user).select_related("namespace").filter(pk=claims["repo"]).first()
    if repo is None:
        raise NotFound(_("The repository of this upload no longer exists."))
    if not can_write(user, repo):
        raise NotAllowed(_("You may no longer write to %(repo)s.") % {"repo": repo.full_name})
    return Grant(repo=repo, user=user)


def _claims(header: str) -> dict[str, Any]:
    scheme, _space, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing(_("Send the upload token that the repository’s xet-write-token address gives."))
    try:
        claims = signing.loads(token.strip(), salt=SALT)
    except signing.BadSignature as error:
        raise TokenInvalid(_("This upload token is not valid here. Ask for a new one.")) from error
    if claims["scope"] != WRITE:
        raise TokenInvalid(_("This upload token does not allow writing. Ask for a new one."))
    if claims["exp"] <= time.time():
        raise TokenExpired(_("This upload token has expired. Ask for a new one."))
    return {name: claims[name] for name in ("repo", "user", "access")}
