"""Reports become cases, cases are decided, and whoever is concerned hears why and may appeal.

What the things are and how they are acted on, the apps say themselves: see portal/moderated.py.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import flagging, mod_log, moderated, restraining, trust
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, SignInRequired
from portal.mod_actions import ACTIONS, Action
from portal.models import Asker, Case, CaseHost, Decision, Event, Membership, Notice, Reason, Report, User
from portal.models.mod_log import LogEntry
from portal.moderated import Target
from portal.notifying import notify

MAX_TEXT = 4000
REPORTS_A_DAY = 50
# Reports of these are seen by moderators alone, and are looked at first.
GRAVE = frozenset({Reason.MALWARE, Reason.SAFETY, Reason.PRIVACY, Reason.SECRET})
BULK = (Reason.SPAM, Reason.HARASSMENT)
DUE_HOURS = 48
GRAVE_HOURS = 4
CLAIM_HOURS = {Case.Kind.LICENCE: 168, Case.Kind.COPYRIGHT: 24, Case.Kind.PRIVACY: 24, Case.Kind.SAFETY: 4}
_HOST = re.compile(r"https?://([\w.-]+)", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


def note(
    action: str,
    *,
    by: User | None,
    target: str,
    reason: str = "",
    text: str = "",
    internal: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    person: int | None = None,
    case: int | None = None,
) -> LogEntry:
    """Add a line to the log of moderation, in the caller's transaction: who did what to which key, and why."""
    return mod_log.append(
        action, by=by, target=target, reason=reason, text=text, internal=internal, before=before, after=after,
        person=person, case=case,
    )  # fmt: skip


def report(
    about: str,
    *,
    by: Asker,
    reason: str,
    text: str = "",
    kind: str = Case.Kind.REPORT,
    data: Mapping[str, Any] | None = None,
    take_action: bool = False,
) -> Case:
    """Report a thing. All reports of one thing are one case; enough of them hide a post until somebody has looked."""
    user, target = _reporter(by), _target(about)
    if reason not in Reason.values:
        raise InvalidInput(_("Choose a reason."))
    if len(text) > MAX_TEXT:
        raise InvalidInput(_("Write at most %(max)d characters.") % {"max": MAX_TEXT})
    if target.author_id == user.pk:
        raise InvalidInput(_("This is your own. You can change or delete it yourself."))
    today = Report.objects.filter(reporter=user, created_at__gt=timezone.now() - timedelta(days=1))
    if today.count() >= REPORTS_A_DAY and not user.is_staff:
        raise NotAllowed(_("You may make %(max)d reports a day.") % {"max": REPORTS_A_DAY})
    restraining.require_voice(user)
    weight = flagging.weight_of(user) + (flagging.STAFF_WEIGHT if take_action and user.is_staff else 0)
    return _add(target, kind=kind, by=user, reason=reason, text=text, data=data, weight=weight)


def report_by_rule(about: str, *, reason: str, text: str, data: Mapping[str, Any] | None = None) -> Case:
    """Let a rule of the portal report a thing: a watched word, a scan. `text` is English, translated where shown."""
    return _add(
        _target(about), kind=Case.Kind.REPORT, by=None, reason=reason, text=text, data=data,
        weight=flagging.MACHINE_WEIGHT,
    )  # fmt: skip


def hold(about: str, *, why: str) -> Case:
    """Put something on the list of what waits for a look before others see it."""
    return _add(
        _target(about), kind=Case.Kind.HELD, by=None, reason=Reason.OTHER, text=why, data=None,
        weight=flagging.MACHINE_WEIGHT,
    )  # fmt: skip


def is_held(about: str) -> bool:
    """Whether it is on the list of what waits for a look."""
    return Case.objects.open().filter(about=about, kind=Case.Kind.HELD).exists()


def is_reported_by_rule(about: str) -> bool:
    """Whether a rule of the portal has reported it and nobody has decided yet."""
    return Report.objects.filter(case__about=about, is_machine=True, verdict="", case__kind=Case.Kind.REPORT).exists()


def _add(
    target: Target, *, kind: str, by: User | None, reason: str, text: str, data: Mapping[str, Any] | None, weight: float
) -> Case:
    now = timezone.now()
    with transaction.atomic():
        case = _case_of(target, kind)
        known = case.reports.filter(reporter=by, verdict="") if by is not None else Report.objects.none()
        if known.exists():
            raise Conflict(_("You have reported this already. A moderator will look at it."))
        try:
            with transaction.atomic():
                Report.objects.create(
                    case=case, reporter=by, is_machine=by is None, reason=reason, text=text.strip(), weight=weight,
                    language=translation.get_language() or "", data=dict(data or {}),
                )  # fmt: skip
        except IntegrityError as error:  # sent twice at the same moment
            raise Conflict(_("You have reported this already. A moderator will look at it.")) from error
        is_new = not case.is_open or not case.reports_count
        hours = CLAIM_HOURS.get(Case.Kind(kind), GRAVE_HOURS if reason in GRAVE else DUE_HOURS)
        due = now + timedelta(hours=hours)
        if not case.is_open:
            case.opened_at, case.closed_at, case.claimed_by, case.due_at = now, None, None, None
            case.score, case.reports_count, case.reasons = 0, 0, {}
        case.status = Case.Status.OPEN
        case.score, case.reports_count = case.score + weight, case.reports_count + 1
        case.reasons = {**case.reasons, reason: case.reasons.get(reason, 0) + 1}
        case.due_at = min(due, case.due_at) if case.due_at else due
        case.version += 1
        case.save()
        Event.record(
            "case.opened" if is_new else "case.reported", subject=target.key, by=by, case=case.pk, reason=reason
        )
        if kind == Case.Kind.REPORT and case.score >= flagging.HIDE and not case.hidden_by_machine:
            _hide_by_machine(case, target, reason)
        if kind == Case.Kind.REPORT and by is not None and reason in BULK:
            _silence_newcomer(case, reason)
    return case


def _case_of(target: Target, kind: str) -> Case:
    """Return the case of a thing, its row locked, with what it says now."""
    case, made = Case.objects.get_or_create(about=target.key, kind=kind)
    case = Case.objects.select_for_update().get(pk=case.pk)
    case.place, case.author_id, case.text_hash = target.place, target.author_id, hash_of(target.text)
    case.title, case.excerpt = target.title[:300], _BLANKS.sub(" ", target.text).strip()[:300]
    if made or not case.is_open:
        case.hosts.all().delete()
        hosts = sorted(hosts_in(target.text))[:50]
        CaseHost.objects.bulk_create([CaseHost(case=case, host=host) for host in hosts], ignore_conflicts=True)
        case.hidden_by_machine = False
    return case


def _hide_by_machine(case: Case, target: Target, reason: str) -> None:
    if "hide" not in moderated.actions_of(target.key) or target.state == "hidden":
        return
    case.hidden_by_machine = True
    case.save(update_fields=("hidden_by_machine",))
    decision = Decision(
        case=case, about=target.key, action="hide", reason=reason, by_machine=True, person_id=target.author_id
    )
    carry_out(decision, by=None)


def _silence_newcomer(case: Case, reason: str) -> None:
    """Silence a new person whom several people report for bulk or harassment, until somebody has looked."""
    author = case.author
    if author is None or trust.level(author) > 0 or restraining.silence_of(author):
        return
    said = Report.objects.filter(case__author=author, case__kind=Case.Kind.REPORT, verdict="", reason__in=BULK)
    said = said.filter(reporter__isnull=False)
    if said.values("reporter").distinct().count() < flagging.SILENCE_PEOPLE:
        return
    if sum(said.values_list("weight", flat=True)) < flagging.SILENCE:
        return
    decision = Decision(
        case=case, about=f"user:{author.pk}", action="silence", reason=reason, by_machine=True, person=author,
        until=timezone.now() + timedelta(hours=24),
    )  # fmt: skip
    carry_out(decision, by=None)


def claim(case: Case, *, by: User) -> None:
    """Tell other moderators that one is looking at it; claiming again lets it go."""
    require_may_judge(by, case)
    mine = None if case.claimed_by_id == by.pk else by
    free = Case.objects.filter(pk=case.pk, claimed_by=case.claimed_by_id)
    if not free.update(claimed_by=mine, claimed_at=timezone.now() if mine else None, version=F("version") + 1):
        raise Conflict(_("Somebody else has claimed this case."))
    case.refresh_from_db()


def decide(
    case: Case,
    *,
    by: User,
    action: str,
    version: int,
    reason: str = "",
    text: str = "",
    internal: str = "",
    hours: int | None = None,
) -> Decision:
    """Close a case with an action. `version` is that of the case as the moderator saw it."""
    require_may_judge(by, case)
    what = _allowed(action, case, by)
    reason = reason or max(case.reasons, key=lambda name: case.reasons[name], default=Reason.OTHER)
    if reason not in Reason.values or max(len(text), len(internal)) > MAX_TEXT:
        raise InvalidInput(_("Choose a reason."))
    if what.tells and what.needs_text and not text.strip():
        raise InvalidInput(_("Write what the person concerned shall read."))
    target = moderated.load(case.about)
    about = f"user:{case.author_id}" if what.of_author else case.about
    if what.of_author and case.author_id is None:
        raise InvalidInput(_("Nobody is known who wrote this."))
    decision = Decision(
        case=case, about=about, action=action, level=what.level, reason=reason, text=text.strip(),
        internal=internal.strip(), by=by, needs_second=what.needs_second,
        person_id=target.author_id if target else case.author_id,
        until=timezone.now() + timedelta(hours=hours) if hours and what.timed else None,
    )  # fmt: skip
    with transaction.atomic():
        current = Case.objects.filter(pk=case.pk, version=version, status=Case.Status.OPEN)
        if not current.update(version=F("version") + 1):
            raise Conflict(_("Somebody else has changed this case meanwhile. Look at it again."))
        case.refresh_from_db()
        if decision.needs_second:
            decision.save()
            note(
                f"{action}.proposed", by=by, target=about, reason=reason, internal=internal, case=case.pk,
                person=decision.person_id,
            )  # fmt: skip
            return decision
        carry_out(decision, by=by)
        close(case, by=by, verdict=what.verdict, decision=decision)
    return decision


def confirm(decision: Decision, *, by: User) -> None:
    """Be the second person whom a grave action takes."""
    if not decision.is_waiting:
        raise Conflict(_("This decision waits for nobody."))
    if decision.by_id == by.pk:
        raise NotAllowed(_("Somebody else must confirm what you have proposed."))
    case = decision.case
    if case is not None:
        require_may_judge(by, case)
        _allowed(decision.action, case, by)
    with transaction.atomic():
        waiting = Decision.objects.filter(pk=decision.pk, confirmed_at=None, undone_at=None)
        if not waiting.update(confirmed_at=timezone.now(), confirmed_by=by):
            raise Conflict(_("This decision waits for nobody."))
        decision.refresh_from_db()
        carry_out(decision, by=by)
        if case is not None:
            close(case, by=by, verdict=ACTIONS[decision.action].verdict, decision=decision)


def withdraw(decision: Decision, *, by: User) -> None:
    """Take back a proposal that waits for a second person."""
    if decision.case is not None:
        require_may_judge(by, decision.case)
    with transaction.atomic():
        waiting = Decision.objects.filter(pk=decision.pk, needs_second=True, confirmed_at=None, undone_at=None)
        if not waiting.update(undone_at=timezone.now(), undone_by=by):
            raise Conflict(_("This decision waits for nobody."))
        note(f"{decision.action}.withdrawn", by=by, target=decision.about, case=decision.case_id)


def carry_out(decision: Decision, *, by: User | None) -> None:
    """Do what was decided, note it and tell whom it concerns; in the caller's transaction."""
    what = ACTIONS[decision.action]
    decision.save()
    if what.acts:
        known = moderated.keeper_of(decision.about)
        if known is None:
            raise NotFound(_("This is not there any more."))
        decision.before = known[0].apply(known[1], decision.action, decision)
        decision.save(update_fields=("before",))
    note(
        decision.action, by=by, target=decision.about, reason=decision.reason, text=decision.text,
        internal=decision.internal, before=decision.before, case=decision.case_id, person=decision.person_id,
        after={"until": decision.until, "level": decision.level} if decision.until or decision.level else {},
    )  # fmt: skip
    if not what.tells:
        return
    target = None if what.of_author else moderated.load(decision.about)
    people = dict.fromkeys([decision.person_id, *(target.told if target else ())])
    for person in User.objects.filter(pk__in=[pk for pk in people if pk and pk != decision.by_id]).order_by("pk"):
        notice, _made = Notice.objects.get_or_create(decision=decision, person=person)
        Event.record(
            "notice.sent", subject=decision.about, by=by, notice=notice.pk, person=person.pk,
            action=decision.action, reason=decision.reason, machine=decision.by_machine,
        )  # fmt: skip


def undo(decision: Decision, *, by: User, internal: str = "") -> None:
    """Put things back as they were before a decision; raises Conflict where nothing can."""
    what = ACTIONS[decision.action]
    if not what.reversible:
        raise Conflict(_("This cannot be undone."))
    with transaction.atomic():
        standing = Decision.objects.filter(pk=decision.pk, undone_at=None)
        if not standing.update(undone_at=timezone.now(), undone_by=by):
            raise Conflict(_("This was undone already."))
        decision.refresh_from_db()
        known = moderated.keeper_of(decision.about)
        if what.acts and known is not None:
            known[0].undo(known[1], decision.action, decision)
        note(
            f"{decision.action}.undone", by=by, target=decision.about, internal=internal, before=decision.before,
            case=decision.case_id, person=decision.person_id,
        )  # fmt: skip


def close(case: Case, *, by: User, verdict: str, decision: Decision) -> None:
    """Judge the reports of a case and tell who made them, in the caller's transaction."""
    now = timezone.now()
    for one in case.reports.filter(verdict=""):
        one.verdict, one.judged_at = verdict, now
        one.save(update_fields=("verdict", "judged_at"))
        flagging.judged(one, verdict)
    dismissed = verdict == Report.Verdict.DISAGREED
    if dismissed:
        for made in case.decisions.filter(by_machine=True, undone_at=None):
            undo(made, by=by)
    case.status, case.closed_at, case.claimed_by = Case.Status.CLOSED, now, None
    case.save(update_fields=("status", "closed_at", "claimed_by"))
    reporters = list(case.reports.filter(judged_at=now, reporter__isnull=False).values_list("reporter_id", flat=True))
    notify("report", people=reporters, about=case.about, by=None, data={"verdict": verdict, "path": "/reports"})
    Event.record(
        "case.decided", subject=case.about, by=by, case=case.pk, verdict=verdict, action=decision.action,
        decision=decision.pk, reporters=reporters,
    )  # fmt: skip


def judge_again(case: Case, verdict: str) -> None:
    """Give the reports that led to a decision another verdict, after an appeal was right."""
    for one in case.reports.filter(verdict=Report.Verdict.AGREED):
        flagging.judged(one, verdict, before=one.verdict)
        one.verdict = verdict
        one.save(update_fields=("verdict",))


def open_to(user: User) -> "QuerySet[Case]":
    """Return the cases that the person may judge, but for recusal: all for staff, of their places for stewards."""
    if user.is_staff:
        return Case.objects.all()
    return Case.objects.filter(place__in=moderated.places_of(user)).exclude(place="")


def may_moderate(user: Asker) -> bool:
    """Whether the person keeps order anywhere."""
    return isinstance(user, User) and user.is_active and (user.is_staff or bool(moderated.places_of(user)))


def is_recused(user: User, *, author_id: int | None, organization_id: int | None = None) -> bool:
    """Whether it is the person's own, or of an organization of the person."""
    if author_id == user.pk:
        return True
    return organization_id is not None and Membership.objects.filter(
        organization_id=organization_id, user_id=user.pk
    ).exists()  # fmt: skip


def require_may_judge(user: User, case: Case) -> None:
    """Raise NotAllowed unless the person may decide this case."""
    if not (user.is_staff or (case.place and case.place in moderated.places_of(user))):
        raise NotAllowed(_("Only moderators may do that."))
    target = moderated.load(case.about)
    organization = target.organization_id if target else None
    own = is_recused(user, author_id=case.author_id, organization_id=organization)
    claimed = case.is_claim and case.reports.filter(reporter=user, verdict="").exists()
    if own or claimed or case.about == f"user:{user.pk}":
        raise NotAllowed(_("This is your own, or your organization’s: somebody else must decide."))


def may_judge(user: User, case: Case) -> bool:
    try:
        require_may_judge(user, case)
    except NotAllowed:
        return False
    return True


def choices(case: Case, user: User) -> list[Action]:
    """Return what the person may do with a case."""
    offered = (*moderated.actions_of(case.about), *(("silence", "suspend") if case.author_id else ()))
    if case.kind == Case.Kind.HELD:
        offered = ("approve", "refuse", "silence")
    else:
        offered = tuple(name for name in offered if name not in {"approve", "refuse"})
        offered = ("dismiss", "ignore", *offered)
    known = (ACTIONS[name] for name in dict.fromkeys(offered))
    return [one for one in known if one.may(user)]


def _allowed(action: str, case: Case, by: User) -> Action:
    found = next((one for one in choices(case, by) if one.name == action), None)
    if found is None:
        raise InvalidInput(_("Choose one of the actions."))
    return found


def hash_of(text: str) -> str:
    """Return a digest that texts share which differ only in blanks and case; empty for short ones."""
    plain = _BLANKS.sub(" ", text).strip().casefold()
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest() if len(plain) >= 20 else ""


def hosts_in(text: str) -> set[str]:
    """Return the hosts that a text links to."""
    return {host.lower().removeprefix("www.")[:200] for host in _HOST.findall(text)}


def _reporter(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to report something."))
    return by


def _target(about: str) -> Target:
    target = moderated.load(about)
    if target is None:
        raise NotFound(_("This is not there any more."))
    return target
