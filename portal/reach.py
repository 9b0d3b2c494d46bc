"""How far a token carries: a fine-grained token and an app act for a person, within less than the person may do.

The limit travels with the user whom the token speaks for (`user.reach`), so that every question about what may be
seen or changed meets it, on whatever door it is asked. None means: as far as the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from django.utils.translation import gettext_lazy as _


class Level(IntEnum):
    """What may be done with a repository; each level includes those below."""

    READ = 1
    WRITE = 2  # commits, branches, tags
    MANAGE = 3  # settings, creation, deletion


# What a token may be allowed beside repositories, by the name under which it is stored.
ACCOUNT_PERMISSIONS = {
    "discussions": _("take part in discussions and like repositories"),
    "collections": _("change your collections"),
    "webhooks": _("see and change your webhooks"),
    "jobs": _("see and start your jobs"),
}


@dataclass(frozen=True)
class Reach:
    """What one token may touch of what its owner may touch. Public repositories are always readable."""

    everywhere: int = 0  # the level on all repositories
    namespaces: Mapping[int, int] = field(default_factory=dict)
    repos: Mapping[int, int] = field(default_factory=dict)
    account: frozenset[str] = frozenset()

    def allows(self, level: Level, *, namespace_id: int, repo_id: int | None = None) -> bool:
        """Return whether something of `level` may be done to a repository, or to a namespace as a whole."""
        granted = max(self.everywhere, self.namespaces.get(namespace_id, 0))
        if repo_id is not None:
            granted = max(granted, self.repos.get(repo_id, 0))
        return granted >= level

    @property
    def may_write(self) -> bool:
        """Whether the token may change anything at all."""
        levels = (self.everywhere, *self.namespaces.values(), *self.repos.values())
        return max(levels) >= Level.WRITE or bool(self.account)


def reach_of(user: object) -> Reach | None:
    """Return the limit under which `user` acts here, None without one."""
    return getattr(user, "reach", None)


def is_limited(user: object) -> bool:
    """Return whether `user` acts by a token that does not even show all repositories of its person."""
    reach = reach_of(user)
    return reach is not None and not reach.everywhere


def names_repos(user: object) -> bool:
    """Return whether `user` acts by a token that was given certain repositories or owners, and no others."""
    reach = reach_of(user)
    return reach is not None and not reach.everywhere and bool(reach.namespaces or reach.repos)


def reaches(user: object, level: Level, *, namespace_id: int, repo_id: int | None = None) -> bool:
    """Return whether the token that speaks for `user`, if there is one, carries this far."""
    reach = reach_of(user)
    return reach is None or reach.allows(level, namespace_id=namespace_id, repo_id=repo_id)


def may_use(user: object, permission: str) -> bool:
    """Return whether the token that speaks for `user`, if there is one, may use this part of the account."""
    reach = reach_of(user)
    return reach is None or permission in reach.account
