"""Badges as people look at them: beside names, on profiles, and how far one is."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from django.db.models import Count, Max, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import granting
from portal.badge_catalogue import RULES, Rule, Shape
from portal.models import BadgeEvidence, BadgeGrant, Tier, Track, User

SHOWN = 3


@dataclass(frozen=True)
class Shown:
    """A badge beside a name: its name in the reader's language, its icon and its tier."""

    slug: str
    name: str
    icon: str
    tier: int

    @property
    def path(self) -> str:
        return f"/badges/{self.slug}"


@dataclass(frozen=True)
class Held:
    """A badge as a person has it: the best tier, and how often, where it may be had more than once."""

    rule: Rule
    tier: Tier
    times: int


@dataclass(frozen=True)
class Progress:
    """How far a person is with a badge; `settling` is what still has to stand for its 72 hours."""

    rule: Rule
    tier: int
    amount: int
    settling: int

    @property
    def next_at(self) -> int | None:
        return self.rule.tiers[self.tier] if self.tier < len(self.rule.tiers) else None

    @property
    def share(self) -> int:
        return 100 if not self.next_at else min(100, 100 * self.amount // self.next_at)


class Rank(IntEnum):
    """Where somebody stands in a track, for good."""

    NOVICE = 0
    CONTRIBUTOR = 1
    EXPERT = 2
    MASTER = 3
    GRANDMASTER = 4

    @property
    def label(self) -> str | Promise:
        return _RANKS[self]


_RANKS: dict[Rank, str | Promise] = {
    Rank.NOVICE: _("Novice"),
    Rank.CONTRIBUTOR: _("Contributor"),
    Rank.EXPERT: _("Expert"),
    Rank.MASTER: _("Master"),
    Rank.GRANDMASTER: _("Grandmaster"),
}


def shown_of(user_ids: Collection[int]) -> dict[int, list[Shown]]:
    """Return the few best badges of each person, in one query."""
    found: dict[int, list[Shown]] = defaultdict(list)
    seen = set()
    rows = BadgeGrant.objects.standing().filter(user__in=user_ids).order_by("-tier", "-id")
    for user, slug, tier in rows.values_list("user_id", "badge", "tier"):
        rule = RULES.get(slug)
        if rule is not None and (user, slug) not in seen and len(found[user]) < SHOWN:
            seen.add((user, slug))
            found[user].append(Shown(slug, rule.name, rule.icon, tier))
    return found


def held_by(user: User) -> list[Held]:
    """Return the badges of a person, the best first, in one query."""
    rows = list(BadgeGrant.objects.standing().filter(user=user).order_by("-tier", "-id"))
    times = Counter(row.badge for row in rows)
    best: dict[str, BadgeGrant] = {}
    for row in rows:
        best.setdefault(row.badge, row)
    return [
        Held(RULES[slug], Tier(row.tier), times[slug] if RULES[slug].shape == Shape.EACH else 1)
        for slug, row in best.items()
        if slug in RULES
    ]


def progress_of(user: User, rules: Iterable[Rule] = ()) -> dict[str, Progress]:
    """Return how far a person is with each badge, in three queries."""
    standing = BadgeEvidence.objects.standing().filter(user=user).order_by()
    counted = {
        row["badge"]: row
        for row in BadgeEvidence.objects.settled()
        .filter(user=user)
        .order_by()
        .values("badge")
        .annotate(total=Sum("amount"), best=Max("amount"), number=Count("id"))
    }
    alls = dict(standing.values_list("badge").annotate(Count("id")))
    tiers = dict(BadgeGrant.objects.standing().filter(user=user).order_by().values_list("badge").annotate(Max("tier")))
    found = {}
    for rule in rules or RULES.values():
        row = counted.get(rule.slug, {"total": 0, "best": 0, "number": 0})
        amount = row["total"] if rule.shape == Shape.SUM else row["best"]
        settling = alls.get(rule.slug, 0) - row["number"]
        found[rule.slug] = Progress(rule, tiers.get(rule.slug, 0), amount, settling)
    return found


def ranks_of(user: User) -> dict[Track, Rank]:
    """Return where a person stands in each track: tiers are permanent while the badges stand."""
    grants = list(BadgeGrant.objects.standing().filter(user=user))
    has_profile = bool(user.about or user.first_name)
    return {track: _rank([one for one in grants if _is_of(one, track)], has_profile=has_profile) for track in Track}


def recheck_now(user: User) -> None:
    """Look at all badges of one person."""
    for rule in RULES.values():
        granting.recheck(rule, [user.pk])


def _is_of(grant: BadgeGrant, track: Track) -> bool:
    return grant.badge in RULES and str(track) in RULES[grant.badge].tracks


def _rank(grants: Sequence[BadgeGrant], *, has_profile: bool) -> Rank:
    count = Counter(grant.tier for grant in grants)
    bronze, silver, gold = count[Tier.BRONZE], count[Tier.SILVER], count[Tier.GOLD]
    solo = any(grant.tier == Tier.GOLD and grant.is_solo for grant in grants)
    reached = (
        (Rank.GRANDMASTER, gold >= 5 and silver >= 5 and solo),
        (Rank.MASTER, gold >= 1 and silver >= 4),
        (Rank.EXPERT, bronze >= 3),
        (Rank.CONTRIBUTOR, has_profile and bronze + silver + gold >= 1),
    )
    return next((rank for rank, is_reached in reached if is_reached), Rank.NOVICE)
