"""What moderators decide on benchmarks and boards that people proposed."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from leaderboard import permissions
from leaderboard.models import Benchmark, Challenge, ChallengeData, Reviewed, Standing, Suite
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, User


def approve_benchmark(benchmark: Benchmark, *, by: Asker) -> Benchmark:
    """Let lists offer a benchmark."""
    user = require_moderator(by)
    with transaction.atomic():
        row = Benchmark.objects.select_for_update().get(pk=benchmark.pk)
        _decide(row, Standing.APPROVED, user)
    return row


def refuse_benchmark(benchmark: Benchmark, *, by: Asker, reason: str) -> Benchmark:
    """Keep a benchmark out of all lists and forms; the scores that are there stay readable."""
    user = require_moderator(by)
    with transaction.atomic():
        row = Benchmark.objects.select_for_update().get(pk=benchmark.pk)
        _decide(row, Standing.REFUSED, user, reason)
    return row


def approve_suite(suite: Suite, *, by: Asker) -> Suite:
    """Open a board under its slug, as the next version where there is one; its benchmarks are approved with it."""
    user = require_moderator(by)
    try:
        with transaction.atomic():
            row = Suite.objects.select_for_update().get(pk=suite.pk)
            if row.has_ended:
                raise Conflict(_("The end that was proposed has passed."))
            if row.proposed_by is not None:
                require_place(row.slug, row.proposed_by)
            _approve_benchmarks(row, user)
            row.version = Suite.objects.current().filter(slug=row.slug).values_list("version", flat=True).first() or 0
            row.version += 1
            row.save(update_fields=("version",))
            _decide(row, Standing.APPROVED, user)
    except IntegrityError as error:  # two moderators at once
        raise Conflict(_("Another board has just taken this address.")) from error
    return row


def refuse_suite(suite: Suite, *, by: Asker, reason: str) -> Suite:
    """Say no to a board, and why; its author goes on seeing it."""
    user = require_moderator(by)
    with transaction.atomic():
        row = Suite.objects.select_for_update().get(pk=suite.pk)
        _decide(row, Standing.REFUSED, user, reason)
    return row


def approve_challenge(challenge: Challenge, *, by: Asker) -> Challenge:
    """Let a challenge open at its time; from here on its task, rows and rules stay as they are."""
    user = require_moderator(by)
    with transaction.atomic():
        row = Challenge.objects.select_for_update().get(pk=challenge.pk)
        if row.submitted_at is None:
            raise Conflict(_("It is a draft."))
        if row.closes_at <= timezone.now():
            raise Conflict(_("The end that was proposed has passed."))
        if not ChallengeData.objects.filter(challenge=row, prepared_at__isnull=False).exists():
            raise Conflict(_("The rows of this challenge are not ready."))
        _decide(row, Standing.APPROVED, user)
    return row


def refuse_challenge(challenge: Challenge, *, by: Asker, reason: str) -> Challenge:
    """Say no to a challenge before it opens, and why; its organizer may mend it and send it again."""
    user = require_moderator(by)
    with transaction.atomic():
        row = Challenge.objects.select_for_update().get(pk=challenge.pk)
        if row.is_approved and row.opens_at <= timezone.now():
            raise Conflict(_("It has opened already."))
        _decide(row, Standing.REFUSED, user, reason)
    return row


def require_place(slug: str, author: User) -> None:
    """Raise Conflict when a board that somebody else made has the slug."""
    known = Suite.objects.current().filter(slug=slug).first()
    if known is not None and known.proposed_by_id != author.pk and not permissions.can_review(author):
        raise Conflict(
            _("There is a suite with the address “%(slug)s” already; its author may propose another version of it.")
            % {"slug": slug}
        )


def require_moderator(by: Asker) -> User:
    """Return who decides when that person may."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if not permissions.can_review(by):
        raise NotAllowed(_("Only staff decide on proposals."))
    return by


def _approve_benchmarks(suite: Suite, user: User) -> None:
    for entry in suite.entries.select_related("benchmark__dataset"):
        if entry.benchmark.is_refused:
            raise Conflict(_("“%(name)s” was refused by moderators.") % {"name": entry.benchmark.name})
        if entry.benchmark.is_proposed and not entry.benchmark.dataset.private:
            _decide(entry.benchmark, Standing.APPROVED, user)


def _decide(row: Reviewed, standing: Standing, user: User, reason: str = "") -> None:
    reason = reason.strip()
    if standing == Standing.REFUSED and not 0 < len(reason) <= Reviewed.MAX_REASON:
        raise InvalidInput(
            _("Say why, in at most %(max)d characters: the author reads it.") % {"max": Reviewed.MAX_REASON},
            data={"key": "reason"},
        )
    if row.standing == standing:
        raise Conflict(_("That was decided already."))
    row.standing, row.reason, row.decided_by, row.decided_at = standing, reason, user, timezone.now()
    row.save(update_fields=("standing", "reason", "decided_by", "decided_at"))
    noun = row._meta.model_name
    Event.record(f"{noun}.{standing}", subject=f"{noun}:{row.pk}", by=user)
