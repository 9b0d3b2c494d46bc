"""Seasons: quarters in UTC, whose points begin at nothing; who is ahead in each track, places, and five awards.

What a season's points are, the ledger of reputation says: what was done within the quarter, with the same caps and
without decay. Candidates for awards are computed by the apps; staff choose one of the first ten and say why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal import reputation, subjects
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Award, Event, Placing, ReputationLine, Season, SeasonPoints, Track, User

CANDIDATES = 10
OBJECTIONS = timedelta(days=7)


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be given an award: for what, and the number that says so."""

    user: int
    key: str
    value: float
    text: str | Promise


Finder = Callable[[Season], Iterable[Candidate]]
_finders: dict[str, Finder] = {}
_closers: list[Callable[[Season], None]] = []


def nominate(kind: str, finder: Finder) -> None:
    """Let `finder` compute who may be given an award of this kind."""
    _finders[kind] = finder


def at_close(close: Callable[[Season], None]) -> None:
    """Have `close` called with each season that ends, before it is closed."""
    _closers.append(close)


def bounds_of(moment: datetime) -> tuple[str, datetime, datetime]:
    """Return the name, the beginning and the end of the quarter of a moment."""
    utc = moment.astimezone(UTC)
    quarter = (utc.month - 1) // 3
    start = datetime(utc.year, 3 * quarter + 1, 1, tzinfo=UTC)
    end = datetime(utc.year + quarter // 3, (3 * quarter + 3) % 12 + 1, 1, tzinfo=UTC)
    return f"{utc.year}-Q{quarter + 1}", start, end


def current() -> Season:
    """Return the season that runs, and begin it if need be."""
    slug, start, end = bounds_of(timezone.now())
    return Season.objects.get_or_create(slug=slug, defaults={"starts_at": start, "ends_at": end})[0]


def compute(season: Season) -> None:
    """Compute the points of a season anew, unless it is closed."""
    if season.closed_at is not None:
        return
    lines: dict[int, list[ReputationLine]] = defaultdict(list)
    within = reputation.standing_lines().filter(at__gte=season.starts_at, at__lt=season.ends_at)
    for line in within.filter(user__is_active=True).iterator():
        lines[line.user_id].append(line)
    rows = [
        SeasonPoints(season=season, user_id=person, track=track, points=points)
        for person, found in lines.items()
        for track, points in reputation.totals(found).items()
    ]
    with transaction.atomic():
        SeasonPoints.objects.filter(season=season).delete()
        SeasonPoints.objects.bulk_create(rows, batch_size=500)


def close_over() -> None:
    """Close seasons that have ended: their points and places stay as they are then."""
    # What was done in the last days must have settled first.
    over = Season.objects.filter(closed_at__isnull=True, ends_at__lt=timezone.now() - timedelta(days=3))
    for season in over.order_by("starts_at"):
        compute(season)
        for close in _closers:
            close(season)
        with transaction.atomic():
            if Season.objects.filter(pk=season.pk, closed_at=None).update(closed_at=timezone.now()):
                people = list(Placing.objects.filter(season=season).values_list("user_id", flat=True))
                Event.record("season.closed", subject=f"season:{season.pk}", by=None, people=people)


def candidates(season: Season, kind: str) -> list[Candidate]:
    """Return the first ten who may be given an award."""
    finder = _finders.get(kind)
    found = sorted(finder(season), key=lambda one: (-one.value, one.key)) if finder else []
    return found[:CANDIDATES]


def give(season: Season, kind: str, *, key: str, by: User, reason: str) -> Award:
    """Give an award to one of the ten; only once, and not to oneself."""
    if not by.is_staff:
        raise NotAllowed(_("Only staff give awards."))
    if not season.is_over:
        raise Conflict(_("Awards are given when the season is over."))
    if not reason.strip():
        raise InvalidInput(_("Say why."))
    chosen = next((one for one in candidates(season, kind) if one.key == key), None)
    if chosen is None:
        raise InvalidInput(_("Choose one of the ten who were computed."))
    if chosen.user == by.pk:
        raise NotAllowed(_("You cannot give an award to yourself."))
    with transaction.atomic():
        award, is_new = Award.objects.get_or_create(
            season=season,
            kind=kind,
            defaults={"user_id": chosen.user, "key": key, "reason": reason.strip()[:500], "given_by": by},
        )
        if not is_new:
            raise Conflict(_("This award has been given."))
        Event.record(
            "award.given", subject=f"user:{chosen.user}", by=by, user=chosen.user, kind=kind, season=season.slug
        )
    return award


def place(season: Season, *, board: str, rank: int, user: User, key: str, code: str, by: User) -> Placing:
    """Write down a place in a challenge; others may object for seven days."""
    if not by.is_staff or by == user:
        raise NotAllowed(_("Only staff write down places, and not their own."))
    if not board.strip() or not 1 <= rank <= 10:
        raise InvalidInput(_("Name the challenge, and a place from 1 to 10."))
    for one in (key, code):
        if subjects.find(one, by) is None:
            raise InvalidInput(_("Name pages of this portal: the evaluation on withheld rows, and the code."))
    if not key.startswith("evaluation:") or not code.startswith("repo:"):
        raise InvalidInput(_("Name pages of this portal: the evaluation on withheld rows, and the code."))
    with transaction.atomic():
        placing, is_new = Placing.objects.get_or_create(
            season=season, kind=Placing.Kind.CHALLENGE, board=board.strip()[:100], user=user,
            defaults={
                "rank": rank, "key": key, "code": code, "confirmed_by": by,
                "objections_until": timezone.now() + OBJECTIONS,
            },
        )  # fmt: skip
        if not is_new:
            raise Conflict(_("This person has a place in that challenge."))
        Event.record("season.placed", subject=f"user:{user.pk}", by=by, user=user.pk, placing=placing.pk)
    return placing


def strike(placing: Placing, *, by: User, reason: str) -> None:
    """Take a place away, saying why: the badge that rests on it goes too."""
    if not by.is_staff:
        raise NotAllowed(_("Only staff may strike a place."))
    if not reason.strip():
        raise InvalidInput(_("Say why."))
    with transaction.atomic():
        if Placing.objects.filter(pk=placing.pk, struck_at=None).update(
            struck_at=timezone.now(), reason=reason.strip()[:300]
        ):
            Event.record(
                "season.placed", subject=f"user:{placing.user_id}", by=by, user=placing.user_id, placing=placing.pk
            )


def helpers(season: Season) -> Iterable[Candidate]:
    """Yield who earned most by helping."""
    rows = SeasonPoints.objects.filter(season=season, track=Track.HELP).order_by("-points", "user")[:CANDIDATES]
    for row in rows:
        yield Candidate(row.user_id, f"user:{row.user_id}", row.points, _("points for helping"))


def register() -> None:
    nominate(Award.Kind.HELPER, helpers)
