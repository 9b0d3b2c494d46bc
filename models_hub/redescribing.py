"""Reading repositories anew whose description was made by older rules, or before their weights had come."""

import logging
import time

from django.db import transaction

from models_hub import browsing, collecting, describing
from models_hub.browsing import RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import DomainError

logger = logging.getLogger(__name__)


def describe_due(*, seconds: float | None = None, check: collecting.Check = lambda: None) -> int:
    """Describe the heads of repositories that are due, one by one; return how many were.

    Killed or out of time it has kept what it did: the next run goes on with those that are left.
    """
    end, done, last = None if seconds is None else time.monotonic() + seconds, 0, 0
    while end is None or time.monotonic() < end:
        check()
        due = Repo.objects.filter(described_with__lt=describing.RULES, pk__gt=last).order_by("pk")
        found = due.values_list("pk", flat=True).first()
        if found is None:
            break
        describe_again(found)
        last, done = found, done + 1
    return done


def describe_again(pk: int) -> None:
    """Describe the head of a repository by today's rules; its files and its date stay as they are."""
    repo = Repo.objects.select_related("namespace").filter(pk=pk).first()
    if repo is None:
        return
    try:
        head = browsing.resolve_revision(repo, DEFAULT_BRANCH)
        description = describing.describe(repo, browsing.list_folder(repo, head, recursive=True))
    except RevisionNotFound:  # nothing has come yet, and what comes is described
        Repo.objects.filter(pk=pk).update(described_with=describing.RULES)
        return
    except DomainError:
        logger.exception("%s could not be described again.", repo.full_name)
        Repo.objects.filter(pk=pk).update(described_with=describing.RULES)
        return
    with transaction.atomic():
        held = Repo.objects.select_for_update().filter(pk=pk, head=head.oid).first()
        if held is not None:  # else a commit came in between, which was described
            describing.note(held, description)
            held.save(update_fields=describing.COLUMNS)
