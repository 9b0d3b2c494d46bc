"""How trust is earned and lost: every criterion of every level, counted from rows.

A level is reached by all criteria of it, the first by one of several routes. Level 3 is lost when its criteria no
longer hold; level 4 is given by staff for a term.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal import evidence, trust
from portal.errors import InvalidInput, NotAllowed
from portal.models import Event, Term, Trust, TrustChange, TrustLevel, User, UserDay

WINDOW_DAYS = 100
BASIC_AGE = timedelta(hours=24)
SECONDS_READ = 600
FLAG_DAYS = 60
SILENCE_DAYS = 180
TERM = timedelta(days=183)
ACCURACY = 0.7
MAX_UPHELD = 2
# What other modules count: facts of these kinds about a person.
ANSWERED = "topic.answered"  # one for each topic of somebody else
RELEASED = "repo.released"
REPRODUCED = "evaluation.reproduced"
UPHELD_AGAINST = "report.against"
JUDGED = "report.judged"  # `amount` is 1 for a report that was agreed with, 0 for one that was not
SILENCED = "person.silenced"

_after_term: list[Callable[[User, User], None]] = []


@dataclass(frozen=True)
class Criterion:
    """One thing that a level asks for: how much somebody has, and how much it takes, or at most may be."""

    text: str | Promise
    have: int
    need: int
    is_ceiling: bool = False
    is_share: bool = False  # in percent

    @property
    def is_met(self) -> bool:
        return self.have <= self.need if self.is_ceiling else self.have >= self.need

    @property
    def share(self) -> int:
        """How far it is, in percent."""
        if self.is_ceiling:
            return 100 if self.is_met else 0
        return min(100, 100 * self.have // max(1, self.need))


@dataclass(frozen=True)
class Step:
    """What one level asks for: all of `all_of`, and one of the routes where there are any."""

    level: TrustLevel
    all_of: list[Criterion] = field(default_factory=list)
    routes: list[list[Criterion]] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        by_route = not self.routes or any(all(one.is_met for one in route) for route in self.routes)
        return by_route and all(one.is_met for one in self.all_of)


@dataclass(frozen=True)
class _Known:
    """What rows say of one person."""

    user: User
    is_confirmed: bool
    topics: int
    posts: int
    seconds: int
    days: int
    recent_days: int
    answered: int
    recent_answered: int
    released: int
    reproduced: int
    accepted: int
    recent_accepters: int
    upheld_lately: int
    upheld_in_window: int
    accuracy: int | None  # in percent
    silences: int


def steps(user: User) -> list[Step]:
    """Return what levels 1 to 3 ask of this person, with what there is now."""
    return _steps(_known([user])[0])


def recheck(people: Collection[int]) -> list[TrustChange]:
    """Compute the levels of these people from their rows, and note who rose or fell."""
    users = list(User.objects.filter(pk__in=people, is_active=True))
    before = dict(Trust.objects.filter(user__in=users).values_list("user_id", "level"))
    changes = []
    for known in _known(users):
        change = _settle(known, before.get(known.user.pk, int(TrustLevel.NEW)))
        if change is not None:
            changes.append(change)
    return changes


def recheck_newcomer(user: User) -> None:
    """Look at somebody who has just read something and is still at the lowest level."""
    old_enough = timezone.now() - user.date_joined >= BASIC_AGE
    if old_enough and not Trust.objects.filter(user=user, level__gt=TrustLevel.NEW).exists():
        recheck([user.pk])


def note_rules_read(user: User) -> None:
    """Somebody says to have read the rules."""
    with transaction.atomic():
        row, _created = Trust.objects.get_or_create(user=user)
        if row.rules_read_at is None:
            Trust.objects.filter(user=user).update(rules_read_at=timezone.now())
            Event.record("trust.rules_read", subject=f"user:{user.pk}", by=user, user=user.pk)


def appoint(user: User, *, by: User, reason: str, until: datetime | None = None) -> Term:
    """Make somebody a steward, for six months unless `until` is given; doing it again begins a new term."""
    if not by.is_staff:
        raise NotAllowed(_("Only staff may appoint stewards."))
    if not reason.strip():
        raise InvalidInput(_("Say why."))
    now = timezone.now()
    with transaction.atomic():
        before = trust.level(user)
        Term.objects.serving().filter(user=user).update(ended_at=now, ended_by=by)
        term = Term.objects.create(
            user=user, since=now, until=until or now + TERM, appointed_by=by, reason=reason.strip()[:300]
        )
        _note(user, before, int(TrustLevel.STEWARD), by=by)
    return term


def after_term(react: Callable[[User, User], None]) -> None:
    """Have `react` called with whoever is a steward no longer, and with who ended that, in its transaction."""
    _after_term.append(react)


def end_term(user: User, *, by: User) -> None:
    """Let somebody be a steward no longer, wherever that was."""
    if not by.is_staff:
        raise NotAllowed(_("Only staff may end a term."))
    with transaction.atomic():
        if Term.objects.serving().filter(user=user).update(ended_at=timezone.now(), ended_by=by):
            _note(user, int(TrustLevel.STEWARD), trust.level(user), by=by)
            for react in _after_term:
                react(user, by)


def level_at(user_ids: Collection[int], moment: dict[int, datetime]) -> dict[int, int]:
    """Return at which level each person was at a moment of the past."""
    found = dict.fromkeys(user_ids, int(TrustLevel.NEW))
    changes = TrustChange.objects.filter(user__in=user_ids).order_by("created_at")
    for user, after, at in changes.values_list("user_id", "after", "created_at"):
        if at <= moment[user]:
            found[user] = after
    return found


def _settle(known: _Known, before: int) -> TrustChange | None:
    # The first two are kept once reached: what was read and accepted does not become undone.
    after = min(before, int(TrustLevel.MEMBER))
    for step in _steps(known)[after:]:
        if not step.is_met:
            break
        after = int(step.level)
    with transaction.atomic():
        Trust.objects.update_or_create(user=known.user, defaults={"level": after, "checked_at": timezone.now()})
        if after == before:
            return None
        return _note(known.user, before, after)


def _note(user: User, before: int, after: int, *, by: User | None = None) -> TrustChange | None:
    if before == after:
        return None
    Event.record("trust.changed", subject=f"user:{user.pk}", by=by, user=user.pk, before=before, after=after)
    return TrustChange.objects.create(user=user, before=before, after=after)


def _steps(known: _Known) -> list[Step]:
    hours = int((timezone.now() - known.user.date_joined).total_seconds() // 3600)
    accuracy = 100 if known.accuracy is None else known.accuracy
    return [
        Step(
            TrustLevel.BASIC,
            [
                Criterion(_("hours since you joined"), hours, int(BASIC_AGE.total_seconds() // 3600)),
                Criterion(_("confirmed address of mail"), int(known.is_confirmed), 1),
            ],
            [
                [
                    Criterion(_("topics read"), known.topics, 5),
                    Criterion(_("posts read"), known.posts, 30),
                    Criterion(_("minutes of reading"), known.seconds // 60, SECONDS_READ // 60),
                ],
                [Criterion(_("public repositories with content"), known.released, 1)],
                [Criterion(_("evaluations that somebody reproduced"), known.reproduced, 1)],
            ],
        ),
        Step(
            TrustLevel.MEMBER,
            [
                Criterion(_("active days"), known.days, 15),
                Criterion(_("topics of others in which you answered"), known.answered, 3),
                Criterion(_("contributions that somebody accepted"), known.accepted, 1),
                Criterion(_("upheld reports against you in 60 days"), known.upheld_lately, 0, is_ceiling=True),
            ],
        ),
        Step(
            TrustLevel.REGULAR,
            [
                Criterion(_("active days in the last 100"), known.recent_days, 40),
                Criterion(_("topics of others in which you answered in the last 100 days"), known.recent_answered, 10),
                Criterion(_("people who accepted a contribution in the last 100 days"), known.recent_accepters, 3),
                Criterion(
                    _("share of your reports that moderators agreed with"), accuracy, int(ACCURACY * 100), is_share=True
                ),
                Criterion(
                    _("upheld reports against you in the last 100 days"),
                    known.upheld_in_window,
                    MAX_UPHELD,
                    is_ceiling=True,
                ),
                Criterion(_("silences in 180 days"), known.silences, 0, is_ceiling=True),
            ],
        ),
    ]


def _known(users: Collection[User]) -> list[_Known]:
    """Count everything for these people, in a number of queries that does not grow with them."""
    people, now = {user.pk for user in users}, timezone.now()
    window, flags, silence = (now - timedelta(days=days) for days in (WINDOW_DAYS, FLAG_DAYS, SILENCE_DAYS))
    confirmed = set(evidence.confirmed_among(people))
    sums = {row["user"]: row for row in _days(people)}
    active = Counter(_active(people))
    recent = Counter(_active(people, since=window))
    answers = evidence.facts(ANSWERED, people)
    answered = Counter(fact.user for fact in answers)
    recently = Counter(fact.user for fact in answers if fact.at > window)
    released = Counter(fact.user for fact in evidence.facts(RELEASED, people))
    reproduced = Counter(fact.user for fact in evidence.facts(REPRODUCED, people))
    accepted = evidence.accepted(people)
    against = evidence.facts(UPHELD_AGAINST, people)
    judged = evidence.facts(JUDGED, people)
    silenced = Counter(fact.user for fact in evidence.facts(SILENCED, people) if fact.at > silence)
    return [
        _Known(
            user=user,
            is_confirmed=user.pk in confirmed,
            topics=_sum(sums, user, "topics"),
            posts=_sum(sums, user, "posts"),
            seconds=_sum(sums, user, "seconds"),
            days=active[user.pk],
            recent_days=recent[user.pk],
            answered=answered[user.pk],
            recent_answered=recently[user.pk],
            released=released[user.pk],
            reproduced=reproduced[user.pk],
            accepted=sum(fact.user == user.pk for fact in accepted),
            recent_accepters=len(
                {fact.giver for fact in accepted if fact.user == user.pk and fact.giver and fact.at > window}
            ),
            upheld_lately=sum(fact.user == user.pk and fact.at > flags for fact in against),
            upheld_in_window=sum(fact.user == user.pk and fact.at > window for fact in against),
            accuracy=_accuracy([fact.amount for fact in judged if fact.user == user.pk]),
            silences=silenced[user.pk],
        )
        for user in users
    ]


def _days(people: Collection[int]) -> Iterable[Mapping[str, Any]]:
    days = UserDay.objects.filter(user__in=people)
    return days.order_by().values("user").annotate(topics=Sum("topics"), posts=Sum("posts"), seconds=Sum("seconds"))


def _active(people: Collection[int], since: datetime | None = None) -> Iterable[int]:
    days = UserDay.objects.filter(user__in=people)
    days = days.filter(day__gt=since.date()) if since else days
    return days.values_list("user_id", flat=True)


def _sum(rows: Mapping[int, Mapping[str, Any]], user: User, name: str) -> int:
    return int(rows.get(user.pk, {}).get(name) or 0)


def _accuracy(judged: Collection[int]) -> int | None:
    return 100 * sum(judged) // len(judged) if judged else None
