"""Boards: proposed by anybody, ended by staff. What moderators decide is in `reviewing`."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from leaderboard import bulk, permissions, reviewing
from leaderboard.bulk import Answer
from leaderboard.models import Benchmark, Standing, Suite, SuiteEntry
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed, QuotaExceeded, SignInRequired
from portal.models import Asker, Event, User
from portal.reach import reach_of

MAX_ENTRIES = 50
MAX_WAITING = 10  # proposals of one person that nobody has decided on
RESERVED = frozenset({"proposals", "top"})  # other pages under /leaderboard

Weighted = Sequence[tuple[Benchmark, float]]


def create_suite(
    *,
    by: Asker,
    slug: str,
    title: str,
    benchmarks: Weighted,
    title_zh: str = "",
    description: str = "",
    description_zh: str = "",
    ends_at: datetime | None = None,
    another_version: bool = False,
) -> Suite:
    """Propose a board of benchmarks, each with its weight in the mean; what moderators propose is approved at once.

    With `another_version` it is to follow the board that has the slug, which its author and moderators may propose.
    """
    user = _require_person(by)
    _check(slug, title, benchmarks, ends_at)
    words = {"title": title, "title_zh": title_zh, "description": description, "description_zh": description_zh}
    with transaction.atomic():
        if not another_version and Suite.objects.current().filter(slug=slug).exists():
            raise Conflict(_("There is a suite with the address “%(slug)s” already.") % {"slug": slug})
        reviewing.require_place(slug, user)
        _refuse_the_same(slug, words, benchmarks)
        if not permissions.can_review(user):
            _require_room(user)
        suite = Suite.objects.create(slug=slug, ends_at=ends_at, proposed_by=user, standing=Standing.PROPOSED, **words)
        SuiteEntry.objects.bulk_create(
            SuiteEntry(suite=suite, benchmark=benchmark, weight=weight, position=position)
            for position, (benchmark, weight) in enumerate(benchmarks)
        )
        Event.record("suite.created", subject=f"suite:{suite.pk}", by=user, slug=slug)
        if permissions.can_review(user):
            return reviewing.approve_suite(suite, by=user)
    return suite


def withdraw(suite: Suite, *, by: Asker) -> None:
    """Take one's own proposal back; a board that is approved stays."""
    user = _require_person(by)
    if suite.proposed_by_id != user.pk:
        raise NotAllowed(_("Only who proposed a board may take the proposal back."))
    with transaction.atomic():
        row = Suite.objects.select_for_update().get(pk=suite.pk)
        if row.is_approved:
            raise Conflict(_("It is approved already."))
        Event.record("suite.withdrawn", subject=f"suite:{row.pk}", by=user, slug=row.slug)
        row.delete()


def set_end(suite: Suite, *, by: Asker, ends_at: datetime | None) -> Suite:
    """Set when a board ends, or that it does not; one that has ended stays as it is."""
    user = _require_person(by)
    if not permissions.can_review(user):
        raise NotAllowed(_("Only staff set when a board ends."))
    _check_end(ends_at)
    with transaction.atomic():
        row = Suite.objects.select_for_update().get(pk=suite.pk)
        _require_open(row)
        row.ends_at = ends_at
        row.save(update_fields=("ends_at",))
        Event.record("suite.end_set", subject=f"suite:{row.pk}", by=user)
    return row


def submit(suite: Suite, model: Repo, *, by: Asker, revision: str = DEFAULT_BRANCH) -> list[Answer]:
    """Ask for the scores of all benchmarks of a board that is open; each is refused or started on its own."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    _require_open(suite)
    return bulk.submit_all([model], [entry.benchmark for entry in suite.public_entries], by=by, revision=revision)


def _require_open(suite: Suite) -> None:
    if not suite.is_approved:
        raise Conflict(_("This board is not approved."), code="suite_not_approved")
    if suite.has_ended:
        raise Conflict(_("This board has ended: it takes no more models."), code="suite_ended")


def _require_person(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if reach_of(by) is not None:
        raise NotAllowed(_("This token reaches repositories alone, no boards."))
    return by


def _require_room(user: User) -> None:
    if Suite.objects.waiting().filter(proposed_by=user).count() >= MAX_WAITING:
        raise QuotaExceeded(
            _("%(max)d of your proposals wait for review. Take one back, or wait for a decision.")
            % {"max": MAX_WAITING}
        )


def _refuse_the_same(slug: str, words: dict[str, str], benchmarks: Weighted) -> None:
    known = Suite.objects.current().filter(slug=slug, **words).first()
    given = {benchmark.pk: weight for benchmark, weight in benchmarks}
    if known is not None and given == dict(known.entries.values_list("benchmark", "weight")):
        raise Conflict(_("There is a suite with the address “%(slug)s” already, and it is the same.") % {"slug": slug})


def _check(slug: str, title: str, benchmarks: Weighted, ends_at: datetime | None) -> None:
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise InvalidInput(_("The slug may hold letters, digits, “-” and “_”."), data={"key": "slug"}) from error
    if slug.lower() in RESERVED:
        raise InvalidInput(_("Another page has the address “%(slug)s”.") % {"slug": slug}, data={"key": "slug"})
    if len(slug) > 60 or not title.strip() or len(title) > 120:
        raise InvalidInput(_("Give the suite a slug of at most 60 and a title of at most 120 characters."))
    if not 1 <= len(benchmarks) <= MAX_ENTRIES:
        raise InvalidInput(_("A suite holds 1 to %(max)d benchmarks.") % {"max": MAX_ENTRIES})
    if len({benchmark.pk for benchmark, _weight in benchmarks}) != len(benchmarks):
        raise InvalidInput(_("A suite holds each benchmark once."))
    for benchmark, weight in benchmarks:
        if benchmark.dataset.private:
            raise InvalidInput(_("“%(name)s” is private; a board is public.") % {"name": benchmark.name})
        if benchmark.is_refused:
            raise InvalidInput(_("“%(name)s” was refused by moderators.") % {"name": benchmark.name})
        if not 0 < weight <= 1000:
            raise InvalidInput(
                _("The weight of “%(name)s” must be above 0 and at most 1000.") % {"name": benchmark.name}
            )
    _check_end(ends_at)


def _check_end(ends_at: datetime | None) -> None:
    if ends_at is not None and ends_at <= timezone.now():
        raise InvalidInput(_("The end must be in the future."), data={"key": "ends_at"})
