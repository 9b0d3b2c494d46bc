"""Who is where: by what the ladder rule let through while a challenge runs, by all private rows in the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from leaderboard.models import Challenge, Entry, FinalPlace, Series, Team, TeamMember
from models_hub.models import Repo
from portal.models import Asker

PAGE = 100
FULL_POINTS = 100.0


@dataclass
class Standing:
    """A line of the public standings; a baseline has no rank."""

    team: Team
    rank: int | None
    entries: int


def ranked(challenge: Challenge) -> QuerySet[Team]:
    """Return the teams that take a rank: with a score, in their order."""
    return ordered(challenge).filter(is_baseline=False)


def ordered(challenge: Challenge) -> QuerySet[Team]:
    """Return all with a score, the best first; of equals who was there first."""
    rows = Team.objects.filter(challenge=challenge, shown__isnull=False, disqualified_at__isnull=True)
    return rows.order_by("shown" if challenge.lower_is_better else "-shown", "shown_at", "id")


def public(challenge: Challenge, *, after: Team | None = None) -> tuple[list[Standing], Team | None]:
    """Return a page of the public standings, and the team after which the next one begins."""
    rows = ordered(challenge)
    if after is not None and after.shown is not None:
        rows = rows.filter(_behind(challenge, after))
    shown = Count("entries", filter=Q(entries__judged_at__isnull=False, entries__is_late=False))
    found = list(rows.annotate(count=shown).prefetch_related(with_people())[: PAGE + 1])
    page = found[:PAGE]
    standings: list[Standing] = []
    better = _count_better(challenge, page[0]) if page else 0
    last, rank = None, 0
    seen = better + _count_equal_before(challenge, page[0]) if page else 0
    for team in page:
        assert team.shown is not None
        if not team.is_baseline:
            seen += 1
            if team.shown != last:
                rank = better + 1 if last is None else seen
                last = team.shown
        standings.append(Standing(team, None if team.is_baseline else rank, vars(team)["count"]))
    return standings, page[-1] if len(found) > PAGE else None


def with_people() -> "Prefetch[str]":
    """Return what loads the people of teams, in the order in which they came."""
    people = TeamMember.objects.filter(user__is_active=True).select_related("user").order_by("id")
    return Prefetch("members", people, to_attr="people")


def public_ranks(challenge: Challenge) -> dict[int, int]:
    """Return the rank of every team by its shown score; equal scores share one."""
    ranks: dict[int, int] = {}
    last: float | None = None
    for position, (pk, shown) in enumerate(ranked(challenge).values_list("pk", "shown"), start=1):
        if shown != last:
            rank, last = position, shown
        ranks[pk] = rank
    return ranks


def final(challenge: Challenge) -> list[FinalPlace]:
    """Return the outcome with its teams, baselines included."""
    those = FinalPlace.objects.filter(challenge=challenge, team__disqualified_at__isnull=True)
    rows = those.select_related("team", "entry__model__namespace")
    people = TeamMember.objects.filter(user__is_active=True).select_related("user").order_by("id")
    return list(rows.prefetch_related(Prefetch("team__members", people, to_attr="people")))


def models_seen(places: Sequence[FinalPlace], reader: Asker) -> set[int]:
    """Return the models of an outcome that the reader may see; of the others no name is told."""
    models = {place.entry.model_id for place in places if place.entry.model_id}
    return set(Repo.objects.visible_to(reader).filter(pk__in=models).values_list("pk", flat=True))


def tie_groups(places: Sequence[FinalPlace]) -> list[list[FinalPlace]]:
    """Return runs of places of which each might be as good as the next."""
    groups: list[list[FinalPlace]] = []
    joins = False
    for place in places:
        if joins:
            groups[-1].append(place)
        else:
            groups.append([place])
        joins = place.ties_next
    return groups


def points_of(series: Series) -> list[tuple[TeamMember, float, int]]:
    """Return who earned how much in the confirmed challenges of a series, and in how many.

    A place gives 100 · (1 − (rank − 1) / teams) points to each person of its team.
    """
    rows = FinalPlace.objects.filter(
        challenge__series=series, challenge__confirmed_at__isnull=False, rank__isnull=False,
        team__disqualified_at__isnull=True,
    )  # fmt: skip
    counts = dict(rows.order_by().values_list("challenge").annotate(Count("pk")))
    people = TeamMember.objects.filter(user__is_active=True).select_related("user")
    found: dict[int, tuple[TeamMember, float, int]] = {}
    for place in rows.prefetch_related(Prefetch("team__members", people, to_attr="people")).select_related("team"):
        points = FULL_POINTS * (1 - (place.rank - 1) / counts[place.challenge_id]) if place.rank else 0.0
        for member in vars(place.team)["people"]:
            known = found.get(member.user_id, (member, 0.0, 0))
            found[member.user_id] = (known[0], known[1] + points, known[2] + 1)
    return sorted(found.values(), key=lambda row: (-row[1], row[0].user.username))


def entries_of(team: Team) -> QuerySet[Entry]:
    """Return what a team sent, the newest first."""
    return (
        Entry.objects.filter(team=team)
        .select_related("job", "model__namespace", "sent_by", "code__namespace")
        .order_by("-id")
    )


def _behind(challenge: Challenge, team: Team) -> Q:
    worse = Q(shown__gt=team.shown) if challenge.lower_is_better else Q(shown__lt=team.shown)
    later = Q(shown_at__gt=team.shown_at) | Q(shown_at=team.shown_at, pk__gt=team.pk)
    return worse | Q(shown=team.shown) & later


def _count_better(challenge: Challenge, team: Team) -> int:
    better = Q(shown__lt=team.shown) if challenge.lower_is_better else Q(shown__gt=team.shown)
    return ranked(challenge).filter(better).count()


def _count_equal_before(challenge: Challenge, team: Team) -> int:
    earlier = Q(shown_at__lt=team.shown_at) | Q(shown_at=team.shown_at, pk__lt=team.pk)
    return ranked(challenge).filter(earlier, shown=team.shown).count()
