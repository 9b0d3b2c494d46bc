"""What git-lfs is told over SSH: where to go, and by what it is known there for an hour.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md

The word is signed and stored nowhere. It is good for one repository, for reading or for writing, and for the routes of
LFS alone; it ends with the key by which it was asked for.
"""

from typing import Any

from django.conf import settings
from django.core import signing

from models_hub.git.grants import UPLOAD
from models_hub.models import Repo
from portal.authentication import BadToken, Caller
from portal.models import SshKey, User
from portal.reach import Level, Reach

SALT = "models_hub.git.lfs_sessions"
SCHEME = "RemoteAuth"


def begin(repo: Repo, caller: Caller, operation: str, *, site: str) -> dict[str, Any]:
    """Return the answer of `git-lfs-authenticate`; `site` is the portal’s address over HTTP."""
    assert caller.key is not None
    word = signing.dumps([caller.key.pk, repo.pk, _place(repo.kind, repo.full_name), operation], salt=SALT)
    return {
        "href": f"{site}{repo.path}.git/info/lfs",
        "header": {"Authorization": f"{SCHEME} {word}"},
        "expires_in": settings.SIGNED_URL_SECONDS,
    }


def caller_of(header: str, *, kind: str, full_name: str) -> Caller | None:
    """Return whom a header lets in to this repository, None where it is no such header; raises BadToken."""
    scheme, _space, word = header.strip().partition(" ")
    if scheme != SCHEME:
        return None
    try:
        key_id, repo_id, place, operation = signing.loads(word, salt=SALT, max_age=settings.SIGNED_URL_SECONDS)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadToken from error
    key = SshKey.opened(pk=key_id) if place == _place(kind, full_name) else None
    if key is None:
        raise BadToken
    key.read_only = key.read_only or operation != UPLOAD
    user: User = key.user
    level = Level.READ if key.read_only else Level.WRITE
    # “discussions”: who may not write may still send content for a pull request.
    user.reach = Reach(repos={repo_id: level}, account=frozenset() if key.read_only else frozenset({"discussions"}))
    return Caller(user, key=key)


def _place(kind: str, full_name: str) -> str:
    return f"{kind}:{full_name.lower()}"
