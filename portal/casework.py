"""What moderators look at: pages of cases, and the file of one case with all that belongs to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from portal import flagging, judging, moderated, restraining, trust
from portal.mod_actions import ACTIONS, Action
from portal.models import Case, Decision, Reason, Report, ReporterScore, Restraint, User
from portal.models.moderation import CaseQuerySet
from portal.moderated import Surroundings, Target

SIMILAR = 10
STRIKE_DAYS = 365
FIRST = "first-"  # begins cursors that stand among the grave cases


@dataclass(frozen=True)
class Filters:
    """What of the queue is looked at; values that mean nothing are dropped."""

    status: str = Case.Status.OPEN
    kind: str = ""
    reason: str = ""
    about: str = ""  # a kind of thing: "post"
    mine: bool = False
    before: str = ""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "Filters":
        def known(name: str, allowed: Sequence[str]) -> str:
            value = values.get(name, "")
            return value if value in allowed else ""

        return cls(
            status=known("status", [Case.Status.CLOSED]) or Case.Status.OPEN,
            kind=known("kind", Case.Kind.values),
            reason=known("reason", Reason.values),
            about=known("about", ["post", "topic", "repo", "evaluation", "user", "organization", "benchmark"]),
            mine=values.get("mine") == "1",
            before=values.get("before", "")[:60],
        )


@dataclass(frozen=True)
class Page:
    """One page of cases and where the next one begins."""

    cases: list[Case]
    next_before: str


def page_of(filters: Filters, *, user: User, size: int) -> Page:
    """Return a page of cases that the person may judge, in one query."""
    rows = judging.open_to(user).filter(status=filters.status)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.about:
        rows = rows.filter(about__startswith=f"{filters.about}:")
    if filters.mine:
        rows = rows.filter(claimed_by=user)
    if filters.reason:
        rows = rows.filter(reports__in=Report.objects.filter(reason=filters.reason)).distinct()
    rows = rows.select_related("author", "claimed_by")
    found = list(_ordered(rows, filters)[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], _cursor(last) if last else "")


def _ordered(rows: CaseQuerySet, filters: Filters) -> "QuerySet[Case]":
    """Return cases after the cursor in the order of the queue; of those that are decided, the latest first."""
    key, _dash, pk = filters.before.rpartition("_")
    if filters.status == Case.Status.CLOSED:
        if pk.isdecimal() and len(pk) < 19:
            rows = rows.filter(pk__lt=int(pk))
        return rows.order_by("-id")
    try:
        score = float(key.removeprefix(FIRST))
    except ValueError:
        score = float("nan")
    rows = rows.first_ones()
    if pk.isdecimal() and len(pk) < 19 and score == score and abs(score) < 1e9:
        is_grave = key.startswith(FIRST)
        after = Q(grave=is_grave) & (Q(score__lt=score) | Q(score=score, pk__lt=int(pk)))
        rows = rows.filter(after | Q(grave=False) if is_grave else after)
    return rows


def _cursor(last: Case) -> str:
    return f"{FIRST if last.is_grave else ''}{last.score!r}_{last.pk}"


def counts(user: User) -> dict[str, int]:
    """Return how many open cases of each kind the person could judge, and how many are late."""
    rows = judging.open_to(user).filter(status=Case.Status.OPEN)
    found = {str(row["kind"]): int(row["n"]) for row in rows.order_by().values("kind").annotate(n=Count("id"))}
    late = rows.filter(due_at__lt=timezone.now()).count()
    return {**found, "all": sum(found.values()), "late": late}


@dataclass(frozen=True)
class Said:
    """One report as moderators read it."""

    report: Report
    score: ReporterScore | None
    data: list[tuple[str, object]]


@dataclass(frozen=True)
class Done:
    """One decision, and what can be done with it now."""

    decision: Decision
    action: Action
    may_undo: bool
    may_confirm: bool
    may_withdraw: bool


@dataclass(frozen=True)
class File:
    """All that belongs to a case."""

    target: Target | None
    reports: list[Said]
    decisions: list[Done]
    similar: list[tuple[Case, str]]
    hosts: list[str]
    trust: int | None = None
    penalties: list[Decision] = field(default_factory=list)
    restraint: Restraint | None = None
    strikes: int = 0
    appeals: int = 0
    around: Surroundings | None = None
    threshold: float = flagging.HIDE


def file_of(case: Case, *, user: User) -> File:
    """Gather what belongs to a case."""
    target = moderated.load(case.about)
    hosts = list(case.hosts.values_list("host", flat=True)[:20])
    author = case.author
    may = judging.may_judge(user, case)
    return File(
        target=target,
        reports=_said(case),
        decisions=[_done(one, user, may=may) for one in _decisions(case)],
        similar=_similar(case, hosts, user),
        hosts=hosts,
        trust=trust.level(author) if author else None,
        penalties=_penalties(author) if author else [],
        restraint=restraining.silence_of(author) if author else None,
        strikes=_strikes(author) if author else 0,
        around=target.around() if target else None,
    )


def _said(case: Case) -> list[Said]:
    rows = list(case.reports.select_related("reporter").order_by("-id")[:50])
    scores = ReporterScore.objects.in_bulk([row.reporter_id for row in rows if row.reporter_id])
    return [Said(row, scores.get(row.reporter_id or 0), sorted(row.data.items())) for row in rows]


def _decisions(case: Case) -> list[Decision]:
    rows = Decision.objects.filter(Q(case=case) | Q(about=case.about)).select_related("by", "confirmed_by", "undone_by")
    return list(rows.order_by("-id")[:30])


def _done(one: Decision, user: User, *, may: bool) -> Done:
    action = ACTIONS[one.action]
    waits = one.is_waiting and may and one.case_id is not None
    stands = one.in_force and action.acts and action.reversible and may and one.case_id is not None
    return Done(
        decision=one,
        action=action,
        may_undo=stands,
        may_confirm=waits and one.by_id != user.pk and action.may(user),
        may_withdraw=waits and action.may(user),
    )


def _similar(case: Case, hosts: Sequence[str], user: User) -> list[tuple[Case, str]]:
    """Return other cases by the same author, with the same text or a link to the same host, and which of it."""
    alike = Q(pk__in=[])
    if case.author_id:
        alike |= Q(author=case.author_id)
    if case.text_hash:
        alike |= Q(text_hash=case.text_hash)
    if hosts:
        alike |= Q(hosts__host__in=hosts)
    rows = judging.open_to(user).filter(alike).exclude(pk=case.pk).distinct().order_by("-id")[:SIMILAR]
    return [(row, _likeness(case, row)) for row in rows]


def _likeness(case: Case, other: Case) -> str:
    if case.text_hash and other.text_hash == case.text_hash:
        return "text"
    return "author" if other.author_id and other.author_id == case.author_id else "host"


def _penalties(author: User) -> list[Decision]:
    names = [name for name, one in ACTIONS.items() if one.tells]
    rows = Decision.objects.filter(person=author, action__in=names, undone_at=None, created_at__gt=_a_year_ago())
    return list(_done_to(rows).order_by("-id")[:10])


def _strikes(author: User) -> int:
    """Count what was disabled in a year for somebody else's copyright."""
    levels = Decision.objects.filter(person=author, reason=Reason.COPYRIGHT, level__gte=3, undone_at=None)
    return _done_to(levels.filter(created_at__gt=_a_year_ago())).count()


def _done_to(rows: "QuerySet[Decision]") -> "QuerySet[Decision]":
    """Leave out what waits for a second person."""
    return rows.exclude(needs_second=True, confirmed_at=None)


def _a_year_ago() -> datetime:
    return timezone.now() - timedelta(days=STRIKE_DAYS)
