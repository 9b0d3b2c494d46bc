"""Access tokens of the Xet API: signed, short-lived, good for one repository at one revision, as one asker."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.models import Repo
from models_hub.permissions import can_write, require_download
from portal.errors import NotAllowed, NotFound, SignInRequired
from portal.models import AccessToken, Asker, User

SALT = "models_hub.xet.tokens"
# In place of the revision of a pull request that does not exist yet: clients write this.
NO_REVISION = "None"


class Scope(StrEnum):
    """What a token is for. A proposal is content for a pull request, which whoever may read may bring."""

    READ = "read"
    WRITE = "write"
    PROPOSE = "propose"


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
    """What a token gives now: the repository at a revision, on whose behalf, and with which access token."""

    repo: Repo
    user: Asker
    scope: Scope = Scope.WRITE
    access: AccessToken | None = None
    revision: str = NO_REVISION

    def sender(self) -> User:
        """Return the person who may send content to the repository; raises NotAllowed."""
        if self.scope is Scope.READ or not isinstance(self.user, User):
            raise NotAllowed(_("This token only allows reading. Ask for one at the repository’s xet-write-token."))
        if self.scope is Scope.WRITE and not can_write(self.user, self.repo):
            raise NotAllowed(_("You may no longer write to %(repo)s.") % {"repo": self.repo.full_name})
        return self.user


def issue(
    *,
    repo: Repo,
    user: Asker,
    ttl: int,
    scope: Scope = Scope.WRITE,
    access: AccessToken | None = None,
    revision: str = NO_REVISION,
) -> tuple[str, int]:
    """Return a token for `repo`, to which `user` has this right, and the Unix time at which it ends.

    With the access token that it was asked for with, `access`, it ends no later than that one.
    """
    expires = int(time.time()) + ttl
    claims = {
        "repo": repo.pk,
        "user": user.pk,
        "scope": scope.value,
        "exp": expires,
        "access": access.pk if access else None,
        "rev": revision,
    }
    return signing.dumps(claims, salt=SALT), expires


def read(header: str) -> Grant:
    """Return what the Authorization header grants at this moment.

    Raises TokenMissing, TokenInvalid or TokenExpired; NotFound when repository or revision are gone from the asker's
    sight; NotAllowed when the asker may no longer read its files.
    """
    return restored(**_claims(header))


def restored(repo: int, user: int | None, scope: str, access: int | None, rev: str) -> Grant:
    """Return what these values, which we signed earlier, grant at this moment; raises as `read` does."""
    asker, token = _asker(user, access)
    found = Repo.objects.visible_to(asker).select_related("namespace", "restriction").filter(pk=repo).first()
    if found is None:
        raise NotFound(_("The repository of this token no longer exists."))
    if rev != NO_REVISION:
        browsing.resolve_revision(found, rev)
    require_download(asker, found)
    return Grant(repo=found, user=asker, scope=Scope(scope), access=token, revision=rev)


def _asker(user: int | None, access: int | None) -> tuple[Asker, AccessToken | None]:
    """Return the user, within the reach of the access token."""
    if user is None:
        return AnonymousUser(), None
    if access is not None:
        token = AccessToken.opened(pk=access, user_id=user)
        if token is None:
            raise TokenInvalid(_("The access token that this token was asked for with was revoked."))
        return token.user, token
    known = User.objects.filter(pk=user, is_active=True).first()
    if known is None:
        raise TokenInvalid(_("The account of this token is closed."))
    return known, None


def _claims(header: str) -> dict[str, Any]:
    scheme, _space, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing(_("Send the token that the repository’s xet-read-token or xet-write-token address gives."))
    try:
        claims = signing.loads(token.strip(), salt=SALT)
        expires, known = claims.pop("exp"), {name: claims[name] for name in ("repo", "user", "scope", "access", "rev")}
    except (signing.BadSignature, KeyError) as error:
        raise TokenInvalid(_("This token is not valid here. Ask for a new one.")) from error
    if expires <= time.time():
        raise TokenExpired(_("This token has expired. Ask for a new one."))
    return known
