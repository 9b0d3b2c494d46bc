"""Whom the boards put forward for an award, and who stands on their fronts when a season ends."""

from collections import defaultdict
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from leaderboard import badge_rules
from leaderboard.models import Reproduction
from portal import seasons
from portal.evidence import Fact
from portal.models import Award, Season
from portal.seasons import CANDIDATES, Candidate


def register() -> None:
    seasons.nominate(Award.Kind.REPRODUCTION, reproductions)
    seasons.at_close(_note_fronts)


def _note_fronts(season: Season) -> None:
    # Four times a year: until then no process of the relay or a worker need hold the libraries of arrays for it.
    from leaderboard import fronts

    fronts.note(season)


def reproductions(season: Season) -> Iterator[Candidate]:
    """Yield who confirmed most scores of others, each with the last of them."""
    runs = Reproduction.objects.finished().filter(finished_at__gte=season.starts_at, finished_at__lt=season.ends_at)
    people = set(runs.exclude(requested_by=None).order_by().values_list("requested_by_id", flat=True).distinct())
    found: dict[int, list[Fact]] = defaultdict(list)
    for fact in badge_rules.agreed({person for person in people if person is not None}):
        if season.starts_at <= fact.at < season.ends_at:
            found[fact.user].append(fact)
    for facts in sorted(found.values(), key=len, reverse=True)[:CANDIDATES]:
        last = max(facts, key=lambda fact: fact.at)
        yield Candidate(last.user, last.key, float(len(facts)), _("scores of others confirmed"))
