"""Who is told of a pull request's life: the forum, whose topic about it is written in the same transaction.

The hub does not know the forum: settings.CONVERSATION names the class, which keeps the promise below.
"""

from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from models_hub.models import Commit, PullRequest
from portal.models import User


class Conversation(Protocol):
    """What is reported, each inside the transaction of the change itself."""

    def opened(self, pull: PullRequest, *, by: User, title: str, description: str) -> None:
        """The pull request exists now, with its number."""

    def title_of(self, pull: PullRequest) -> str:
        """Return the title under which people know it."""

    def committed(self, pull: PullRequest, commits: Sequence[Commit], *, by: User | None) -> None:
        """These commits, oldest first, came to the pull request."""

    def status_changed(self, pull: PullRequest, *, by: User, comment: str) -> None:
        """The pull request was made ready, closed or opened again."""

    def reviewed(self, pull: PullRequest, *, by: User, verdict: str, comment: str) -> None:
        """Somebody approved the change as it is, or asked for another one."""

    def merged(self, pull: PullRequest, *, by: User, comment: str) -> None:
        """The change is in its base branch now."""


@cache
def conversation() -> Conversation:
    """Return the one listener."""
    return cast("Conversation", import_string(settings.CONVERSATION)())
