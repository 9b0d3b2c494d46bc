"""Links that stop mail without signing in: they name a person and what to stop, signed, and do nothing else."""

from collections.abc import Collection
from dataclasses import dataclass

from django.core import signing

from portal import inbox
from portal.models import User
from portal.notification_kinds import KINDS

SALT = "unsubscribe"
DIGEST, ALL = "digest", "all"


@dataclass(frozen=True)
class Wish:
    """Whose mail is to stop, and of which kinds."""

    user: User
    kinds: tuple[str, ...]
    digest: bool

    def fulfil(self) -> None:
        """Stop the mail; a second time changes nothing."""
        inbox.stop_mail(self.user, kinds=self.kinds, digest=self.digest)


def link(user: User, what: Collection[str]) -> str:
    """Return the path that stops mail of these kinds, the digest ("digest"), or all that can be stopped ("all")."""
    token = signing.dumps({"u": user.pk, "w": sorted(what)}, salt=SALT, compress=True)
    return f"/unsubscribe/{token}"


def wish_of(token: str) -> Wish | None:
    """Return what a link asks for, None for one that is not ours or whose person is gone."""
    try:
        said = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=said["u"], is_active=True).first()
    if user is None:
        return None
    what = set(said["w"])
    everything = ALL in what
    kinds = tuple(name for name, kind in KINDS.items() if (everything or name in what) and not kind.forced)
    return Wish(user, kinds, digest=everything or DIGEST in what)
