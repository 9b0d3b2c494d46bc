"""Giving badges, and taking them back: what counts is compared with the rows, so doing it twice changes nothing.

An event has one person looked at, for the badges that it may concern; an hourly pass counts what has settled; a nightly
pass compares everybody, so that a lost event costs a day and no badge.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from portal import evidence
from portal.badge_catalogue import RULES, Rule, Shape
from portal.evidence import Fact
from portal.models import BadgeEvidence, BadgeGrant, Event, User

CHUNK = 200
SAMPLES = 10
QUIET_AFTER = timedelta(days=2)  # a bronze for something older is told to nobody
VOID = gettext_noop("The evidence for it no longer stands.")


@dataclass
class Outcome:
    """What a pass changed, or with `dry_run` would change."""

    granted: list[tuple[int, str, int, str]] = field(default_factory=list)  # person, badge, tier, evidence
    revoked: list[tuple[int, str, int, str]] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.granted += other.granted
        self.revoked += other.revoked


@dataclass(frozen=True)
class _Reached:
    tier: int
    key: str
    is_solo: bool
    at: datetime


def recheck(rule: Rule, people: Collection[int], *, dry_run: bool = False) -> Outcome:
    """Compare what counts towards one badge with the rows of these people, and give or take back what follows."""
    outcome = Outcome()
    found: dict[int, list[Fact]] = defaultdict(list)
    seen = set()
    for fact in evidence.facts(rule.slug, people):
        # Two sources may prove the same thing: the older fact counts.
        if (fact.user, fact.key) not in seen:
            seen.add((fact.user, fact.key))
            found[fact.user].append(fact)
    kept: dict[int, list[BadgeEvidence]] = defaultdict(list)
    for row in BadgeEvidence.objects.filter(badge=rule.slug, user__in=people):
        kept[row.user_id].append(row)
    grants: dict[int, list[BadgeGrant]] = defaultdict(list)
    for grant in BadgeGrant.objects.filter(badge=rule.slug, user__in=people):
        grants[grant.user_id].append(grant)
    with transaction.atomic():
        for person in {*found, *kept, *grants}:
            rows = _compared(rule, person, found[person], kept[person], dry_run=dry_run)
            outcome.add(_settle(rule, person, rows, grants[person], dry_run=dry_run))
    return outcome


def check_all(
    check: Callable[[], None] = lambda: None, *, dry_run: bool = False, rules: Sequence[Rule] = ()
) -> Outcome:
    """Compare everybody with every rule, in portions."""
    outcome = Outcome()
    for people in portions():
        for rule in rules or RULES.values():
            check()
            outcome.add(recheck(rule, people, dry_run=dry_run))
    return outcome


def count_settled() -> Outcome:
    """Look again at whoever has evidence that has stood long enough since the last look."""
    waiting: dict[str, set[int]] = defaultdict(set)
    for badge, person in BadgeEvidence.objects.due().order_by("settles_at").values_list("badge", "user_id")[:5000]:
        waiting[badge].add(person)
    outcome = Outcome()
    for badge, people in waiting.items():
        if badge in RULES:
            outcome.add(recheck(RULES[badge], people))
    return outcome


def portions() -> Iterator[list[int]]:
    """Yield the active people, some at a time."""
    last = 0
    while people := list(
        User.objects.filter(is_active=True, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        yield people
        last = people[-1]


def _compared(
    rule: Rule, person: int, found: Sequence[Fact], kept: Sequence[BadgeEvidence], *, dry_run: bool
) -> list[BadgeEvidence]:
    """Return the evidence that stands, written down as it is now."""
    now = timezone.now()
    rows, standing = {row.key: row for row in kept}, []
    for fact in found:
        row = rows.pop(fact.key, None) or BadgeEvidence(user_id=person, badge=rule.slug, key=fact.key, at=fact.at)
        before = (row.pk, row.amount, row.is_solo, row.void_at, row.at)
        # What only aged, such as downloads of last year, takes nothing back.
        row.amount = fact.amount if rule.falls else max(fact.amount, row.amount if row.pk else 0)
        row.is_solo, row.void_at, row.at = fact.is_solo, None, fact.at
        row.settles_at = fact.at + (evidence.SETTLES_AFTER if rule.settles else timedelta())
        counted = row.counted_at is None and row.settles_at <= now
        if counted:
            row.counted_at = now
        if not dry_run and (
            row.pk is None or counted or before != (row.pk, row.amount, row.is_solo, row.void_at, row.at)
        ):
            row.save()
        standing.append(row)
    for row in rows.values():
        if row.void_at is None and not dry_run:
            row.void_at = now
            row.save(update_fields=("void_at",))
    return sorted((row for row in standing if row.settles_at <= now), key=lambda row: (row.at, row.key))


def _settle(
    rule: Rule, person: int, rows: Sequence[BadgeEvidence], grants: Sequence[BadgeGrant], *, dry_run: bool
) -> Outcome:
    """Give what was reached and is not held, and take back what is held and no longer reached."""
    outcome, reached = Outcome(), _reached(rule, rows)
    standing = [grant for grant in grants if grant.revoked_at is None]
    former = {(grant.tier, grant.evidence): grant for grant in grants if grant.revoked_at is not None}
    each = rule.shape == Shape.EACH
    held = {(grant.tier, grant.evidence) if each else grant.tier for grant in standing}
    for one in reached:
        if ((one.tier, one.key) if each else one.tier) not in held:
            outcome.granted.append((person, rule.slug, one.tier, one.key))
            if not dry_run:
                _grant(rule, person, one, former.get((one.tier, one.key)))
    still = {(one.tier, one.key) if each else one.tier for one in reached}
    for grant in standing:
        if ((grant.tier, grant.evidence) if each else grant.tier) not in still:
            outcome.revoked.append((person, rule.slug, grant.tier, grant.evidence))
            if not dry_run:
                _revoke(grant)
    return outcome


def _reached(rule: Rule, rows: Sequence[BadgeEvidence]) -> list[_Reached]:
    """Return each tier with the evidence that reached it."""
    if rule.shape == Shape.EACH:
        return [
            _Reached(rule.tier_of(row.amount), row.key, row.is_solo, row.at) for row in rows if rule.tier_of(row.amount)
        ]
    found: dict[int, _Reached] = {}
    total, solo = 0, True
    for row in rows:
        if rule.shape == Shape.SUM:
            total, solo = total + row.amount, solo and row.is_solo
        else:
            total, solo = row.amount, row.is_solo
        for tier in range(1, rule.tier_of(total) + 1):
            found.setdefault(tier, _Reached(tier, row.key, solo, row.at))
    return list(found.values())


def _grant(rule: Rule, person: int, one: _Reached, former: BadgeGrant | None) -> None:
    if former is not None:
        former.revoked_at, former.reason, former.is_solo = None, "", one.is_solo
        former.save(update_fields=("revoked_at", "reason", "is_solo"))
    else:
        _row, created = BadgeGrant.objects.get_or_create(
            user_id=person, badge=rule.slug, tier=one.tier, evidence=one.key, defaults={"is_solo": one.is_solo}
        )
        if not created:
            return
    is_old = timezone.now() - one.at > QUIET_AFTER + (evidence.SETTLES_AFTER if rule.settles else timedelta())
    Event.record(
        "badge.granted",
        subject=f"user:{person}",
        by=None,
        badge=rule.slug,
        tier=one.tier,
        user=person,
        quiet=former is not None or (one.tier == 1 and is_old),
    )


def _revoke(grant: BadgeGrant) -> None:
    if BadgeGrant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=timezone.now(), reason=VOID):
        Event.record(
            "badge.revoked",
            subject=f"user:{grant.user_id}",
            by=None,
            badge=grant.badge,
            tier=grant.tier,
            user=grant.user_id,
        )
