"""Cases are decided: what was chosen is done, noted and told, and may be undone.

What the things are and how they are acted on, the apps say themselves: see portal/moderated.py.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import flagging, mod_log, moderated
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.judging import allowed, require_may_judge
from portal.mod_actions import ACTIONS
from portal.models import Case, Decision, Event, Notice, Reason, Report, User
from portal.notifying import notify

MAX_TEXT = 4000  # characters of what is told, and of what moderators tell one another


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
    what = allowed(action, case, by)
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
            mod_log.append(
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
        allowed(decision.action, case, by)
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
        mod_log.append(f"{decision.action}.withdrawn", by=by, target=decision.about, case=decision.case_id)


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
    mod_log.append(
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
        mod_log.append(
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
    """Give the reports that led to a decision another verdict, after an appeal was right, and tell who made them."""
    reporters = set()
    for one in case.reports.filter(verdict=Report.Verdict.AGREED):
        flagging.judged(one, verdict, before=one.verdict)
        one.verdict = verdict
        one.save(update_fields=("verdict",))
        if one.reporter_id is not None:
            reporters.add(one.reporter_id)
    data = {"verdict": verdict, "appealed": True, "path": "/reports"}
    notify("report", people=reporters, about=case.about, by=None, data=data)
