"""Arranging boards."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leaderboard import permissions
from leaderboard.models import Benchmark, Suite, SuiteEntry
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, User

MAX_ENTRIES = 50


def create_suite(
    *,
    by: Asker,
    slug: str,
    title: str,
    benchmarks: Sequence[tuple[Benchmark, float]],
    title_zh: str = "",
    description: str = "",
    description_zh: str = "",
) -> Suite:
    """Make a board of benchmarks, each with its weight in the mean."""
    user = _require_arranger(by)
    _check(slug, title, benchmarks)
    try:
        with transaction.atomic():
            suite = Suite.objects.create(
                slug=slug, title=title, title_zh=title_zh, description=description, description_zh=description_zh
            )
            SuiteEntry.objects.bulk_create(
                SuiteEntry(suite=suite, benchmark=benchmark, weight=weight, position=position)
                for position, (benchmark, weight) in enumerate(benchmarks)
            )
            Event.record("suite.created", subject=f"suite:{suite.pk}", by=user, slug=slug)
    except IntegrityError as error:
        raise Conflict(_("There is a suite with the address “%(slug)s” already.") % {"slug": slug}) from error
    return suite


def _require_arranger(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if not permissions.can_arrange_suites(by):
        raise NotAllowed(_("Only staff may arrange boards."))
    return by


def _check(slug: str, title: str, benchmarks: Sequence[tuple[Benchmark, float]]) -> None:
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise InvalidInput(_("The slug may hold letters, digits, “-” and “_”."), data={"key": "slug"}) from error
    if len(slug) > 60 or not title.strip() or len(title) > 120:
        raise InvalidInput(_("Give the suite a slug of at most 60 and a title of at most 120 characters."))
    if not 1 <= len(benchmarks) <= MAX_ENTRIES:
        raise InvalidInput(_("A suite holds 1 to %(max)d benchmarks.") % {"max": MAX_ENTRIES})
    if len({benchmark.pk for benchmark, _weight in benchmarks}) != len(benchmarks):
        raise InvalidInput(_("A suite holds each benchmark once."))
    for benchmark, weight in benchmarks:
        if benchmark.dataset.private:
            raise InvalidInput(_("“%(name)s” is private; a board is public.") % {"name": benchmark.name})
        if not 0 < weight <= 1000:
            raise InvalidInput(
                _("The weight of “%(name)s” must be above 0 and at most 1000.") % {"name": benchmark.name}
            )
