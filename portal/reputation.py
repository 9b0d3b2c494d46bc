"""Reputation: points that others, or measurements, gave for a person’s work, by track.

The ledger has a line for each; what a person has is computed from it: points x weight of the giver x e^(-days/365),
at most 100 for what was done on one day, and at most 20 from one giver to one person in 30 days. What was verified
(scores that were reproduced, accepted answers) stands outside of these caps.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from portal import evidence, trust
from portal.evidence import Fact
from portal.models import Reputation, ReputationLine, Track

GIVER_WEIGHTS = {0: 0.0, 1: 0.5, 2: 1.0, 3: 1.5, 4: 1.5}
A_DAY = 100.0
A_PAIR, PAIR_DAYS = 20.0, 30
DECAY_DAYS = 365.0
SERIES, SERIES_WITHIN = 5, timedelta(minutes=10)  # so many votes to one person in so short a time are a series
SERIES_DAYS = 3  # how far back a night looks
TAKEN_BACK = gettext_noop("What it was for is no longer there.")
IN_SERIES = gettext_noop("Votes reversed: many from one person in a short time.")


@dataclass(frozen=True)
class Kind:
    """What one kind of fact is worth. A vote counts by its giver; the rest is verified and outside of the caps."""

    name: str
    title: str | Promise
    points: float
    track: Track | None  # None where each fact says its own
    is_vote: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("answer.accepted", _("accepted answer"), 15, Track.HELP),
        Kind("post.liked", _("good reaction"), 2, Track.HELP, is_vote=True),
        Kind("article.approved", _("approved article"), 15, Track.HELP),
        Kind("repo.liked", _("like of a repository"), 3, None, is_vote=True),
        Kind("pull.merged", _("merged change"), 10, None),
        Kind("evaluation.reproduced", _("reproduced score"), 20, Track.EVALS),
        Kind("reproduction.agreed", _("run that confirms a score"), 10, Track.EVALS),
        Kind("benchmark.approved", _("approved benchmark"), 25, Track.EVALS),
        Kind("report.upheld", _("report that was upheld"), 5, Track.STEWARDSHIP),
        Kind("claim.accepted", _("confirmed contribution"), 10, Track.STEWARDSHIP),
    )
}


def reconcile(people: Collection[int], kinds: Iterable[str] = tuple(KINDS)) -> int:
    """Add the lines that are missing from the ledger of these people, and take back those whose fact is gone."""
    changed = 0
    for name in kinds:
        if not evidence.is_provided(name):
            continue
        wanted = {(fact.user, fact.giver, fact.key): fact for fact in evidence.facts(name, people)}
        lines = ReputationLine.objects.filter(user__in=people, kind=name, reverses__isnull=True)
        # What was taken back as a series stays so while the votes stand; else each night would give it again.
        for line in lines.select_related("reversal"):
            fact = wanted.get((line.user_id, line.giver_id, line.key))
            reversal = getattr(line, "reversal", None)
            if reversal is None and fact is None:
                reverse(line, reason=TAKEN_BACK)
                changed += 1
            elif fact is not None and (reversal is None or reversal.reason == IN_SERIES):
                del wanted[line.user_id, line.giver_id, line.key]
        changed += len(_write(KINDS[name], list(wanted.values())))
    return changed


def reverse(line: ReputationLine, *, reason: str) -> None:
    """Take a line back by another one; both stay to be seen."""
    ReputationLine.objects.get_or_create(
        reverses=line,
        defaults={
            "user_id": line.user_id,
            "track": line.track,
            "kind": line.kind,
            "key": line.key,
            "giver_id": line.giver_id,
            "points": -line.points,
            "weight": line.weight,
            "at": line.at,
            "reason": reason,
        },
    )


def reverse_series() -> int:
    """Q5: take back votes that one person gave another in series."""
    since = timezone.now() - timedelta(days=SERIES_DAYS)
    votes = ReputationLine.objects.filter(
        kind__in=[kind.name for kind in KINDS.values() if kind.is_vote],
        at__gt=since,
        giver__isnull=False,
        reverses__isnull=True,
        reversal__isnull=True,
    )
    pairs = votes.order_by().values_list("giver", "user").annotate(number=Count("id")).filter(number__gte=SERIES)
    reversed_lines = 0
    for giver, user, _number in pairs:
        rows = list(votes.filter(giver=giver, user=user).order_by("at", "id"))
        for line in _series(rows):
            reverse(line, reason=IN_SERIES)
            reversed_lines += 1
    return reversed_lines


def recompute(people: Collection[int]) -> None:
    """Compute what these people have from their ledgers, and keep it."""
    lines: dict[int, list[ReputationLine]] = defaultdict(list)
    for line in standing_lines().filter(user__in=people):
        lines[line.user_id].append(line)
    now = timezone.now()
    rows = [
        Reputation(user_id=person, track=track, points=points, computed_at=now)
        for person, found in lines.items()
        for track, points in totals(found, now=now).items()
    ]
    with transaction.atomic():
        Reputation.objects.filter(user__in=people).delete()
        Reputation.objects.bulk_create(rows)


def standing_lines() -> "QuerySet[ReputationLine]":
    """Lines that nothing has taken back."""
    return ReputationLine.objects.filter(reverses__isnull=True, reversal__isnull=True)


def totals(lines: Iterable[ReputationLine], *, now: datetime | None = None) -> dict[str, float]:
    """Return the points of one person by track; with `now` they decay."""
    found: dict[str, float] = defaultdict(float)
    days: dict[date, float] = defaultdict(float)
    pairs: dict[int, list[tuple[datetime, float]]] = defaultdict(list)
    rows = sorted(lines, key=lambda line: (line.at, line.pk or 0))
    partial = evidence.partial({(line.user_id, line.giver_id) for line in rows if line.giver_id is not None})
    for line in rows:
        points = line.points * line.weight
        if KINDS[line.kind].is_vote:
            if (line.user_id, line.giver_id) in partial:
                continue
            points = _capped(line, points, days, pairs)
        age = max(0.0, (now - line.at).total_seconds() / 86400) if now else 0.0
        found[line.track] += points * math.exp(-age / DECAY_DAYS)
    return {track: round(points, 4) for track, points in found.items() if points > 0}


def _capped(
    line: ReputationLine,
    points: float,
    days: dict[date, float],
    pairs: dict[int, list[tuple[datetime, float]]],
) -> float:
    """Return what of the points is within the caps of the day and of the pair, and note it there."""
    room = A_DAY - days[line.at.date()]
    if line.giver_id is not None:
        since = line.at - timedelta(days=PAIR_DAYS)
        pairs[line.giver_id] = [(at, given) for at, given in pairs[line.giver_id] if at > since]
        room = min(room, A_PAIR - sum(given for _at, given in pairs[line.giver_id]))
    points = max(0.0, min(points, room))
    days[line.at.date()] += points
    if line.giver_id is not None:
        pairs[line.giver_id].append((line.at, points))
    return points


def _write(kind: Kind, found: Sequence[Fact]) -> list[ReputationLine]:
    """Write the lines of new facts; a vote of somebody who may not speak for the person weighs nothing."""
    levels = trust.levels_of({fact.giver for fact in found if fact.giver is not None}) if found else {}
    able = {(fact.user, fact.giver) for fact in evidence.honest(found)} if kind.is_vote else set()
    lines = []
    for fact in found:
        weight = 1.0
        if kind.is_vote:
            weight = GIVER_WEIGHTS[levels.get(fact.giver or 0, 0)] if (fact.user, fact.giver) in able else 0.0
        lines.append(
            ReputationLine(
                user_id=fact.user,
                track=kind.track or fact.track,
                kind=kind.name,
                key=fact.key,
                giver_id=fact.giver,
                points=kind.points,
                weight=weight,
                at=fact.at,
            )
        )
    return ReputationLine.objects.bulk_create(lines)


def _series(rows: Sequence[ReputationLine]) -> list[ReputationLine]:
    """Return the lines that belong to a run of SERIES votes within SERIES_WITHIN."""
    found: dict[int, ReputationLine] = {}
    for first in range(len(rows) - SERIES + 1):
        run = rows[first : first + SERIES]
        if run[-1].at - run[0].at <= SERIES_WITHIN:
            found.update({line.pk: line for line in run})
    return list(found.values())
