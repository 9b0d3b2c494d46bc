"""Votes on what to measure next, and what idle workers do with them."""

import logging

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from leaderboard import adapters, fitting, model_files, permissions, submitting
from leaderboard.models import Benchmark, Evaluation, IdleRule, Vote, Wish
from leaderboard.not_evaluable import NotEvaluable
from models_hub import browsing
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import Conflict, DomainError, InvalidInput, NotAllowed, QuotaExceeded, SignInRequired
from portal.models import Asker, Event, User
from portal.reach import may_use

MAX_VOTES = 100  # of one person for what is still open


def vote(model: Repo, benchmark: Benchmark, *, by: Asker) -> Wish:
    """Support measuring a model that the asker sees on a benchmark; doing it again changes nothing."""
    user = _voter(by)
    if model.private or model.gated or benchmark.dataset.private:
        raise InvalidInput(_("Votes are for what everybody may see and download."), code="not_public")
    submitting.require_unrefused(benchmark)
    commit = browsing.resolve_revision(model, DEFAULT_BRANCH)
    entries = model_files.entries_of(model, commit)
    fitting.check_evaluable(model, commit, entries, benchmark.task, adapters.base_of(model, entries, AnonymousUser()))
    if Evaluation.objects.filter(model=model, benchmark=benchmark).exists():
        raise Conflict(_("This model was asked to be measured on this benchmark already."), code="already_asked")
    if Vote.objects.filter(voter=user, wish__in=Wish.objects.open()).count() >= MAX_VOTES:
        raise QuotaExceeded(_("You have %(max)d open votes. Take one back first.") % {"max": MAX_VOTES})
    with transaction.atomic():
        wish, _is_new = Wish.objects.get_or_create(model=model, benchmark=benchmark)
        if Vote.objects.get_or_create(wish=wish, voter=user)[1]:
            Wish.objects.filter(pk=wish.pk).update(votes=F("votes") + 1)
    wish.refresh_from_db()
    return wish


def take_back(wish: Wish, *, by: Asker) -> None:
    """Withdraw one's vote, if there is one."""
    user = _voter(by)
    with transaction.atomic():
        removed, _of = Vote.objects.filter(wish=wish, voter=user).delete()
        if removed:
            Wish.objects.filter(pk=wish.pk).update(votes=F("votes") - 1)


def let_idle_workers(*, take: bool, by: User) -> None:
    """Switch on or off that idle workers take what has most votes."""
    if not permissions.can_switch_idle_workers(by):
        raise NotAllowed(_("Only staff decide what idle workers do."))
    with transaction.atomic():
        IdleRule.objects.update_or_create(pk=IdleRule.KEY, defaults={"is_on": take, "changed_by": by})
        Event.record("wishes.taken" if take else "wishes.left", subject="wishes", by=by)


def start_next(most: int) -> int:
    """Ask for evaluations of the `most` most wanted; nobody owns their jobs, so they delay nobody else."""
    started = 0
    for wish in Wish.objects.open().most_wanted()[:most]:
        try:
            started += submitting.submit_wish(wish.model, wish.benchmark)[1]
        except NotEvaluable as error:  # the model has changed since
            logging.getLogger(__name__).info("%s cannot be granted any more: %s", wish, error.message)
            wish.delete()
        except DomainError as error:
            logging.getLogger(__name__).warning("%s could not be granted: %s", wish, error.message)
    return started


def _voter(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to vote."))
    if not may_use(by, "jobs"):
        raise NotAllowed(_("This token may not vote."))
    return by
