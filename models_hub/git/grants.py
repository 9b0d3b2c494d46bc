"""Signed addresses of LFS: clients send content without credentials, so the address itself says who may send what.

A grant is bound to repository, content, size and the token or SSH key that asked for it; it ends with any of them.
"""

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.utils.translation import gettext as _

from models_hub.models import Repo
from models_hub.permissions import can_download, can_propose
from portal.authentication import Caller
from portal.errors import NotAllowed
from portal.models import AccessToken, Asker, SshKey, User

SALT = "models_hub.git.grants"
UPLOAD, DOWNLOAD = "upload", "download"
KEY = "key:"  # before the id of an SSH key, where a token has but its id


class GrantRefused(NotAllowed):
    """The signature is wrong, too old, or for something else."""

    code = "bad_signature"


@dataclass(frozen=True)
class Grant:
    """What a signed address gives: to move content `oid` of `size` bytes to or from `repo`."""

    repo: Repo
    oid: str
    size: int
    user: Asker

    def sender(self) -> User:
        """Return the person who may upload with it."""
        assert isinstance(self.user, User)  # as `read` has made sure
        return self.user

    @property
    def upload(self) -> str:
        """A name for the parts of this upload, the same after a restart."""
        text = f"{self.repo.pk}:{self.user.pk}:{self.oid}:{self.size}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def sign(operation: str, *, repo: Repo, caller: Caller, oid: str, size: int) -> str:
    """Return the signature to put in an address."""
    proof = f"{KEY}{caller.key.pk}" if caller.key else caller.token.pk if caller.token else None
    claims = [operation, repo.pk, caller.user.pk, proof, oid, size]
    return signing.dumps(claims, salt=SALT)


def read(operation: str, signature: str, *, oid: str) -> Grant:
    """Return what a signature gives at this moment; raises GrantRefused, whatever the reason."""
    refused = GrantRefused(_("This address is not valid or has expired: ask for a new one and send the file again."))
    try:
        claims = signing.loads(signature, salt=SALT, max_age=settings.SIGNED_URL_SECONDS)
        signed_operation, repo_id, user_id, proof, signed_oid, size = claims
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise refused from error
    if (signed_operation, signed_oid) != (operation, oid):
        raise refused
    caller = _caller(user_id, proof)
    if caller is None:
        raise refused
    repo = Repo.objects.visible_to(caller.user).select_related("namespace", "restriction").filter(pk=repo_id).first()
    if repo is None or (operation == UPLOAD and not (caller.may_write and can_propose(caller.user, repo))):
        raise refused
    if not can_download(caller.user, repo):
        raise refused
    return Grant(repo, oid, size, caller.user)


def _caller(user_id: int | None, proof: int | str | None) -> Caller | None:
    """Return whom the grant was given to, None when the account, the token or the key has ended since."""
    if user_id is None:
        return Caller(AnonymousUser())
    if proof is None:
        return None
    if isinstance(proof, str):
        key = SshKey.opened(pk=proof.removeprefix(KEY), user_id=user_id)
        return Caller(key.user, key=key) if key else None
    token = AccessToken.opened(pk=proof, user_id=user_id)
    return Caller(token.user, token) if token else None
