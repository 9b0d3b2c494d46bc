"""What a token that was given certain repositories shows of work on them: jobs, runs, studies and queues.

Such work may name several repositories. It is shown where none of them is hidden from the token, and at least one is
what the token was given.
"""

from typing import Any

from django.db.models import Q, QuerySet

from models_hub.models.repos import Repo
from portal.models import User, job_reach
from portal.reach import is_limited, names_repos


def register() -> None:
    job_reach.register_repos(_repos)


def within(user: User, *fields: str) -> Q:
    """Return what rows must meet that point at repositories by these fields, empty ones allowed."""
    if not is_limited(user):
        return Q()
    seen, given = _repos(user)
    shown, mine = Q(), Q()
    for field in fields:
        shown &= Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__in": seen})
        mine |= Q(**{f"{field}__in": given})
    return shown & mine if names_repos(user) else shown


def _repos(user: User) -> tuple[QuerySet[Any, int], QuerySet[Any, int]]:
    seen = Repo.objects.visible_to(user)
    return seen.values_list("pk", flat=True), seen.given_to(user).values_list("pk", flat=True)
