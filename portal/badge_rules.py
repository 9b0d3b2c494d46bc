"""What the commons prove of people: first steps, reports that were upheld, what others confirmed, mentors, places."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import Min, Q

from portal import evidence, trust, trusting
from portal.badge_catalogue import RULES
from portal.evidence import Fact, Source
from portal.models import (
    BadgeClaim,
    BadgeGrant,
    Decision,
    Mentorship,
    Placing,
    Reason,
    Report,
    Restraint,
    Trust,
    TrustLevel,
    User,
)  # fmt: skip

SECURITY = (Reason.MALWARE, Reason.UNSAFE_FILE, Reason.SECRET)
SHARP, LAST = 0.8, 50  # of the last judged reports
NEED_OF_MENTEE = ("models", "evals", "help")
# Acts that say a report against a person was right: all but leaving it, and putting back.
HARMLESS = ("nothing", "approve", "restore", "ignore")


def register() -> None:
    for kind, source in {
        "first-light": begun,
        "anniversary": years,
        "sharp-eye": sharp,
        "security-reporter": security,
        "contamination-hunter": contamination,
        "mentor": mentored,
        "small-giant": fronts,
        "challenge-medallist": medals,
        "report.upheld": upheld,
        trusting.JUDGED: judged,
        trusting.UPHELD_AGAINST: against,
        trusting.SILENCED: silenced,
        "claim.accepted": claimed,
    }.items():
        evidence.provide(kind, source)
    for rule in RULES.values():
        if rule.claimed:
            evidence.provide(rule.slug, claims_of(rule.slug))
    trust.after_reading(trusting.recheck_newcomer)


def begun(people: Collection[int]) -> Iterator[Fact]:
    """Yield people with a confirmed address, something on their profile, and the rules read."""
    read = dict(
        Trust.objects.filter(user__in=people, rules_read_at__isnull=False).values_list("user_id", "rules_read_at")
    )
    shown = User.objects.filter(pk__in=read, is_active=True).exclude(about="", first_name="")
    confirmed = set(evidence.confirmed_among(read))
    for pk in shown.values_list("pk", flat=True):
        at = read[pk]
        if pk in confirmed and at is not None:
            yield Fact(pk, f"user:{pk}", at)


def years(people: Collection[int]) -> Iterator[Fact]:
    """Yield for each person and calendar year the first contribution that others accepted."""
    seen = set()
    for fact in evidence.accepted(people):
        if (fact.user, fact.at.year) not in seen:
            seen.add((fact.user, fact.at.year))
            yield fact


def judged(people: Collection[int]) -> Iterator[Fact]:
    """Yield reports that moderators agreed with, or did not: `amount` says which."""
    rows = Report.objects.filter(reporter__in=people, is_machine=False, judged_at__isnull=False)
    rows = rows.filter(verdict__in=(Report.Verdict.AGREED, Report.Verdict.DISAGREED)).order_by("judged_at", "id")
    for row in rows:
        if row.reporter_id is not None and row.judged_at is not None:
            agreed = row.verdict == Report.Verdict.AGREED
            yield Fact(row.reporter_id, f"case:{row.case_id}", row.judged_at, amount=int(agreed))


def upheld(people: Collection[int]) -> Iterator[Fact]:
    yield from (fact for fact in judged(people) if fact.amount)


def sharp(people: Collection[int]) -> Iterator[Fact]:
    """Yield upheld reports that were made while the person was mostly right, one for each case."""
    lately: dict[int, list[int]] = {}
    seen = set()
    for fact in judged(people):
        mine = lately.setdefault(fact.user, [])
        mine.append(fact.amount)
        del mine[:-LAST]
        if fact.amount and sum(mine) >= SHARP * len(mine) and (fact.user, fact.key) not in seen:
            seen.add((fact.user, fact.key))
            yield fact


def security(people: Collection[int]) -> Iterator[Fact]:
    yield from _upheld_for(people, SECURITY)


def contamination(people: Collection[int]) -> Iterator[Fact]:
    yield from _upheld_for(people, (Reason.FALSE_SCORE,))


def against(people: Collection[int]) -> Iterator[Fact]:
    """Yield decisions against these people that stand."""
    rows = Decision.objects.filter(person__in=people, undone_at__isnull=True).exclude(action__in=HARMLESS)
    rows = rows.filter(Q(needs_second=False) | Q(confirmed_at__isnull=False))
    for pk, person, at in rows.values_list("pk", "person_id", "created_at"):
        if person is not None:
            yield Fact(person, f"decision:{pk}", at)


def silenced(people: Collection[int]) -> Iterator[Fact]:
    """Yield silences, and suspensions, that no appeal took back."""
    rows = Restraint.objects.filter(person__in=people).exclude(decision__undone_at__isnull=False)
    for pk, person, at in rows.values_list("pk", "person_id", "created_at"):
        yield Fact(person, f"restraint:{pk}", at)


def claims_of(badge: str) -> Source:
    """Return the source of what people confirmed for one badge."""

    def confirmed(people: Collection[int]) -> Iterator[Fact]:
        yield from (fact for slug, fact in _claims(people) if slug == badge)

    return confirmed


def claimed(people: Collection[int]) -> Iterator[Fact]:
    """Yield everything that others confirmed."""
    yield from (fact for _slug, fact in _claims(people))


def mentored(people: Collection[int]) -> Iterator[Fact]:
    """Yield newcomers whom these people looked after and who came far enough since."""
    rows = list(Mentorship.objects.agreed().filter(mentor__in=people, mentee_level__lt=TrustLevel.MEMBER))
    mentees = {row.mentee_id for row in rows}
    levels = trust.levels_of(mentees) if mentees else {}
    slugs = [rule.slug for rule in RULES.values() if set(rule.tracks) & set(NEED_OF_MENTEE)]
    held = BadgeGrant.objects.standing().filter(user__in=mentees, badge__in=slugs)
    badges: dict[int, datetime] = dict(held.order_by().values_list("user_id").annotate(Min("granted_at")))
    found = [
        Fact(row.mentor_id, f"user:{row.mentee_id}", max(row.agreed_at, badges[row.mentee_id]), row.mentee_id)
        for row in rows
        if row.agreed_at and row.mentee_id in badges and levels[row.mentee_id] >= TrustLevel.MEMBER
    ]
    yield from evidence.apart(found)


def fronts(people: Collection[int]) -> Iterator[Fact]:
    """Yield places on the front of score and size."""
    for place in Placing.objects.filter(user__in=people, kind=Placing.Kind.FRONT, struck_at__isnull=True, rank__lte=10):
        amount = 3 if place.rank == 1 else 2 if place.rank <= 3 else 1
        yield Fact(place.user_id, f"placing:{place.pk}", place.created_at, amount=amount)


def medals(people: Collection[int]) -> Iterator[Fact]:
    """Yield places in challenges that are final."""
    places = Placing.objects.final().filter(user__in=people, kind=Placing.Kind.CHALLENGE, rank__lte=10)
    for place in places.exclude(code=""):
        amount = max(1, 4 - place.rank)
        yield Fact(place.user_id, f"placing:{place.pk}", place.objections_until, amount=amount)


def _upheld_for(people: Collection[int], reasons: Collection[str]) -> Iterator[Fact]:
    rows = Report.objects.filter(
        reporter__in=people, reason__in=reasons, verdict=Report.Verdict.AGREED, judged_at__isnull=False
    )
    for row in rows.order_by("judged_at", "id"):
        if row.reporter_id is not None and row.judged_at is not None:
            yield Fact(row.reporter_id, f"case:{row.case_id}", row.judged_at)


def _claims(people: Collection[int]) -> Iterator[tuple[str, Fact]]:
    rows = BadgeClaim.objects.accepted().filter(user__in=people, decided_by__isnull=False, decided_at__isnull=False)
    pairs = {(row.user_id, row.decided_by_id) for row in rows if row.decided_by_id is not None}
    bad = evidence.close(pairs)
    for row in rows:
        if row.decided_at is not None and (row.user_id, row.decided_by_id) not in bad:
            yield row.badge, Fact(row.user_id, f"claim:{row.pk}", row.decided_at, row.decided_by_id)
