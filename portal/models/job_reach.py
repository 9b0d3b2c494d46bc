"""Which jobs a limited token shows: those that name no repository which is hidden from it."""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.models.accounts import User
from portal.models.job_parts import JobRepo
from portal.reach import names_repos

Ids = QuerySet[Any, int]
Repos = Callable[[User], tuple[Ids, Ids]]
_repos: list[Repos] = []


def register_repos(repos: Repos) -> None:
    """Let `repos` say which repositories a limited token shows, and which of them it was given."""
    _repos[:] = [repos]


def in_reach(user: User) -> Q:
    """Return what rows of jobs must meet; a token that was given certain repositories shows jobs about these alone."""
    about, (seen, given) = JobRepo.objects.filter(job=OuterRef("pk")), _repos[0](user)
    shown = ~Q(Exists(about.exclude(repo_id__in=seen)))
    return shown & Q(Exists(about.filter(repo_id__in=given))) if names_repos(user) else shown
