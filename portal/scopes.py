"""What apps may ask for (OAuth scopes), in words for the person who is asked, and what each opens."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from portal.reach import ACCOUNT_PERMISSIONS, Level, Reach

SCOPES = {
    "openid": _("Know who you are"),
    "profile": _("See your account name, display name, picture and organizations"),
    "email": _("See your email address"),
    "read-repos": _("Read your repositories and those of your organizations, private ones included"),
    "write-repos": _("Change the content of your repositories and of those of your organizations"),
    "manage-repos": _("Create repositories, change their settings and delete them"),
    "write-discussions": _("Take part in discussions and like repositories in your name"),
    "collections": _("Change your collections"),
    "webhooks": _("See and change your webhooks"),
    "jobs": _("See and start your jobs"),
}
DEFAULT = "openid profile"
# What a command line gets that names no scopes: as much as a token with the role “write”.
FULL = " ".join(SCOPES)
_LEVELS = {"read-repos": Level.READ, "write-repos": Level.WRITE, "manage-repos": Level.MANAGE}
_ACCOUNT = {"write-discussions": "discussions"} | {name: name for name in ACCOUNT_PERMISSIONS if name in SCOPES}


def known(scope: str) -> list[str]:
    """Return the scopes of a space-separated list that exist here, in the order in which people read them."""
    asked = set(scope.split())
    return [name for name in SCOPES if name in asked]


def reach_of_scopes(scopes: Iterable[str]) -> Reach:
    """Return how far a token with these scopes carries."""
    held = set(scopes)
    return Reach(
        everywhere=max((level for name, level in _LEVELS.items() if name in held), default=0),
        account=frozenset(permission for name, permission in _ACCOUNT.items() if name in held),
    )
