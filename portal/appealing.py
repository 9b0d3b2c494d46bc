"""Appeals: whoever is concerned by a decision asks for another look, and somebody else gives it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import deciding, judging, moderating
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.mod_actions import ACTIONS, Action
from portal.models import Appeal, Decision, Event, Notice, Report, User

ANSWER_DAYS = 7


def appeal(
    notice: Notice, *, by: User, text: str, is_counter_notice: bool = False, data: Mapping[str, Any] | None = None
) -> Appeal:
    """Ask for another look at a decision, once, within six months."""
    if notice.person_id != by.pk:
        raise NotAllowed(_("Only the person concerned may appeal."))
    if not text.strip() or len(text) > moderating.MAX_TEXT:
        raise InvalidInput(_("Write why the decision is wrong, in at most %(max)d characters.") % {"max": 4000})
    if timezone.now() >= notice.appeal_until:
        raise Conflict(_("The time to appeal is over."))
    try:
        with transaction.atomic():
            made = Appeal.objects.create(
                notice=notice, text=text.strip(), is_counter_notice=is_counter_notice, data=dict(data or {}),
                language=translation.get_language() or "",
            )  # fmt: skip
            about = notice.decision.about
            Event.record("appeal.opened", subject=about, by=by, notice=notice.pk, appeal=made.pk)
            moderating.note("appeal.opened", by=by, target=about, case=notice.decision.case_id, person=by.pk)
    except IntegrityError as error:
        raise Conflict(_("You have appealed already.")) from error
    return made


def milder(decision: Decision) -> list[Action]:
    """Return what could stand in the place of a decision."""
    names: tuple[str, ...]
    if decision.action in {"silence", "suspend"}:
        names = ("nudge", "warn", "silence")
    elif decision.level is not None:
        names = tuple(name for name, one in ACTIONS.items() if one.level is not None and one.level < decision.level)
        names = ("nudge", "warn", *names)
    else:
        names = ("nudge", "warn") if decision.action == "hide" else ("nudge", "warn", "hide")
    return [ACTIONS[name] for name in names if name != decision.action or ACTIONS[name].timed]


def require_may_decide(user: User, one: Appeal) -> None:
    """Raise NotAllowed unless the person had no part in it: not the decision, not the claim, not the thing itself."""
    decision = one.notice.decision
    if not user.is_staff:
        raise NotAllowed(_("Only moderators may do that."))
    if user.pk in {decision.by_id, decision.confirmed_by_id}:
        raise NotAllowed(_("Somebody else must decide: this is about a decision of yours."))
    if one.notice.person_id == user.pk:
        raise NotAllowed(_("Nobody decides on an appeal of their own."))
    if decision.case is not None:
        judging.require_may_judge(user, decision.case)


def decide(one: Appeal, *, by: User, status: str, answer: str, instead: str = "", hours: int | None = None) -> Appeal:
    """Answer an appeal. Overturning restores everything, and takes its weight from those who had reported."""
    require_may_decide(by, one)
    decision = one.notice.decision
    if status not in {Appeal.Status.UPHELD, Appeal.Status.CHANGED, Appeal.Status.OVERTURNED}:
        raise InvalidInput(_("Choose what becomes of the decision."))
    if not answer.strip() or len(answer) > moderating.MAX_TEXT:
        raise InvalidInput(_("Write an answer: the person concerned reads it."))
    new = next((action for action in milder(decision) if action.name == instead), None)
    if status == Appeal.Status.CHANGED and new is None:
        raise InvalidInput(_("Choose what stands in its place."))
    with transaction.atomic():
        waiting = Appeal.objects.filter(pk=one.pk, status=Appeal.Status.OPEN)
        if not waiting.update(status=status, answer=answer.strip(), decided_by=by, decided_at=timezone.now()):
            raise Conflict(_("Somebody has decided on this appeal already."))
        one.refresh_from_db()
        if status != Appeal.Status.UPHELD and decision.undone_at is None:
            deciding.undo(decision, by=by, internal="appeal")
        if status == Appeal.Status.OVERTURNED and decision.case is not None:
            deciding.judge_again(decision.case, Report.Verdict.DISAGREED)
        if status == Appeal.Status.CHANGED and new is not None:
            _put_in_place(decision, new, by=by, text=answer, hours=hours)
        moderating.note(
            f"appeal.{status}", by=by, target=decision.about, text=answer, case=decision.case_id,
            person=one.notice.person_id,
        )  # fmt: skip
        Event.record(
            "appeal.decided", subject=decision.about, by=by, notice=one.notice_id, person=one.notice.person_id,
            status=status,
        )  # fmt: skip
    return one


def _put_in_place(decision: Decision, new: Action, *, by: User, text: str, hours: int | None) -> None:
    until = timezone.now() + timedelta(hours=hours or 24) if new.timed else None
    stands = Decision(
        case=decision.case, about=decision.about, action=new.name, level=new.level, reason=decision.reason,
        text=text.strip(), by=by, person_id=decision.person_id, until=until,
    )  # fmt: skip
    deciding.carry_out(stands, by=by)


def restoring_after(one: Appeal) -> tuple[str, str] | None:
    """Return between which days what a counter-notice is about is restored unless somebody sues, None without one."""
    if not one.is_counter_notice:
        return None
    found: list[str] = []
    day, seen = one.created_at.date(), 0
    while len(found) < 2:
        day += timedelta(days=1)
        seen += day.weekday() < 5
        if seen in {10, 14} and day.weekday() < 5:
            found.append(day.isoformat())
    return found[0], found[1]
