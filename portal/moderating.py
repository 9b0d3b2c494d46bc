"""Reports become cases, one for each thing, and the gravest of them act at once, until somebody has looked.

How cases are decided is in deciding.py, who may in judging.py. What the things are and how they are acted on, the apps
say themselves: see portal/moderated.py.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import deciding, flagging, mod_log, moderated, restraining, trust
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, SignInRequired
from portal.models import Asker, Case, CaseHost, Decision, Event, Reason, Report, User
from portal.models.mod_log import LogEntry
from portal.models.moderation import GRAVE
from portal.moderated import Target

MAX_TEXT = 4000
REPORTS_A_DAY = 50
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
        hosts = sorted({*hosts_in(target.text), *hosts_in(target.preface)})[:50]
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
    deciding.carry_out(decision, by=None)


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
    deciding.carry_out(decision, by=None)


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
