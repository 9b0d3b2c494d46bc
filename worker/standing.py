"""What the relay computes of people: at once what events asked for, each hour what settled, each night everything."""

import logging
from collections import defaultdict
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from portal import granting, reputation, seasons, trusting
from portal.badge_catalogue import RULES
from portal.granting import Outcome
from portal.models import Recheck
from worker.consumers.standing import LEDGER, TRUST_NAME

logger = logging.getLogger(__name__)

A_TURN = 200


def catch_up() -> None:
    """Look at those whom events named, those for the same thing together."""
    with transaction.atomic():
        rows = list(Recheck.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "id")[:A_TURN])
        if not rows:
            return
        # Gone before the look: what happens meanwhile makes a row anew.
        Recheck.objects.filter(pk__in=[row.pk for row in rows]).delete()
        wanted: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            wanted[row.what].add(row.user_id)
        for what, people in sorted(wanted.items(), key=lambda item: not item[0].startswith(LEDGER)):
            _look(what, people)


def _look(what: str, people: set[int]) -> None:
    if what.startswith(LEDGER):
        reputation.reconcile(people, (what.removeprefix(LEDGER),))
    elif what == TRUST_NAME:
        trusting.recheck(people)
    elif what in RULES:
        granting.recheck(RULES[what], people)


def hourly() -> None:
    """Count evidence that has stood for long enough, and the points of the season that runs."""
    granting.count_settled()
    seasons.compute(seasons.current())


def nightly(check: Callable[[], None] = lambda: None) -> Outcome:
    """Compare the ledgers of everybody with the rows, portion by portion; safe to stop and to repeat."""
    for people in granting.portions():
        check()
        reputation.reconcile(people)
    reputation.reverse_series()
    for people in granting.portions():
        check()
        reputation.recompute(people)
        trusting.recheck(people)
    seasons.close_over()
    outcome = granting.check_all(check)
    if outcome.granted or outcome.revoked:
        logger.info("Badges: %s granted, %s revoked.", len(outcome.granted), len(outcome.revoked))
    return outcome
