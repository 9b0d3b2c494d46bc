"""Notices and appeals: what was decided about somebody, and the way to another look, signed in or held off."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import appealing, judging, mod_log, moderated, restraining
from portal.authentication import require_user
from portal.errors import DomainError, status_of
from portal.house_rules import rule_of
from portal.mod_actions import ACTIONS
from portal.models import Appeal, Case, LogEntry, Notice, Reason, User
from portal.moderation_forms import AnswerForm, AppealForm, CounterNoticeForm
from portal.views.moderation import for_staff

PAGE = 30


@never_cache
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """What was decided about oneself, and every line of the log that names one."""
    user, before = require_user(request), request.GET.get("before", "")
    rows = Notice.objects.filter(person=user).select_related("decision__case", "appeal").order_by("-id")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    context = {
        "notices": [(row, ACTIONS[row.decision.action]) for row in page[:PAGE]],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "log": mod_log.named(list(LogEntry.objects.filter(person_id=user.pk).order_by("-seq")[:PAGE]), user),
    }
    return render(request, "portal/moderation/notices.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """One notice, and the form to appeal."""
    user = require_user(request)
    row = _find(user, notice_id)
    if row.read_at is None and request.method == "GET":
        Notice.objects.filter(pk=row.pk).update(read_at=timezone.now())
    return _notice(request, user, row, back=row.path)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def from_sign_in(request: HttpRequest, ticket: str) -> HttpResponse:
    """The notice of somebody who may not sign in, who proved a moment ago to be that person."""
    user = get_object_or_404(User, pk=restraining.read_ticket(ticket))
    row = Notice.objects.filter(person=user, decision__action="suspend").order_by("-id").first()
    if row is None:
        raise Http404
    return _notice(request, user, _find(user, row.pk), back=request.path, held_off=True)


def _find(user: User, notice_id: int) -> Notice:
    rows = Notice.objects.select_related("decision__case", "person", "appeal")
    return get_object_or_404(rows, pk=notice_id, person=user)


def _notice(request: HttpRequest, user: User, row: Notice, *, back: str, held_off: bool = False) -> HttpResponse:
    decision = row.decision
    kind = CounterNoticeForm if _is_of_copyright(row) else AppealForm
    form, status = kind(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            counter = isinstance(form, CounterNoticeForm)
            try:
                appealing.appeal(
                    row, by=user, text=form.cleaned_data["text"], is_counter_notice=counter,
                    data=form.facts() if isinstance(form, CounterNoticeForm) else None,
                )  # fmt: skip
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, _("Your appeal is sent. Somebody else than who decided will answer."))
                return redirect(back)
    context = {
        "notice": row,
        "decision": decision,
        "action": ACTIONS[decision.action],
        "reason": Reason(decision.reason).label,
        "rule": rule_of(decision.reason),
        "target": moderated.load(decision.about),
        "appeal": getattr(row, "appeal", None),
        "claims": _claims(row),
        "form": form,
        "days": appealing.ANSWER_DAYS,
        "held_off": held_off,
    }
    return render(request, "portal/moderation/notice.html", context, status=status)


def _is_of_copyright(row: Notice) -> bool:
    return row.decision.case is not None and row.decision.case.kind == Case.Kind.COPYRIGHT


def _claims(row: Notice) -> list[tuple[str, list[tuple[str, object]]]]:
    """Return the full text of the claims that led to a decision: who is concerned may read what was claimed."""
    case = row.decision.case
    if case is None or case.kind not in {Case.Kind.COPYRIGHT, Case.Kind.LICENCE}:
        return []
    hidden = {"contact", "good_faith", "accurate"}
    return [
        (one.text, [(name, value) for name, value in sorted(one.data.items()) if name not in hidden])
        for one in case.reports.order_by("id")[:10]
    ]


@for_staff
@require_safe
def appeals(request: HttpRequest) -> HttpResponse:
    """Appeals that wait, the oldest first; decided ones the latest first."""
    closed = request.GET.get("status") == "closed"
    rows = Appeal.objects.select_related("notice__decision__by", "notice__person", "decided_by")
    before = request.GET.get("before", "")
    if closed:
        rows = rows.exclude(status=Appeal.Status.OPEN).order_by("-id")
        rows = rows.filter(pk__lt=int(before)) if before.isdecimal() and len(before) < 19 else rows
    else:
        rows = rows.filter(status=Appeal.Status.OPEN).order_by("id")
        rows = rows.filter(pk__gt=int(before)) if before.isdecimal() and len(before) < 19 else rows
    page = list(rows[: PAGE + 1])
    context = {
        "appeals": [(row, ACTIONS[row.notice.decision.action]) for row in page[:PAGE]],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "closed": closed,
    }
    return render(request, "portal/moderation/appeals.html", context)


@for_staff
@require_safe
def appeal(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """One appeal with what it is about."""
    return _appeal_page(request, _load(appeal_id))


@for_staff
@require_POST
def answer(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """Answer an appeal."""
    user, row = require_user(request), _load(appeal_id)
    form = AnswerForm(request.POST, milder=appealing.milder(row.notice.decision))
    if not form.is_valid():
        return _appeal_page(request, row, form=form, status=400)
    given = form.cleaned_data
    try:
        appealing.decide(
            row, by=user, status=given["status"], answer=given["answer"], instead=given["instead"],
            hours=given["hours"] or None,
        )  # fmt: skip
    except DomainError as error:
        form.add_error(None, error.message)
        return _appeal_page(request, _load(appeal_id), form=form, status=status_of(error))
    messages.success(request, _("The appeal is answered."))
    return redirect("moderation_appeals")


def _load(appeal_id: int) -> Appeal:
    rows = Appeal.objects.select_related(
        "notice__decision__case", "notice__decision__by", "notice__person", "decided_by"
    )
    return get_object_or_404(rows, pk=appeal_id)


def _appeal_page(
    request: HttpRequest, row: Appeal, *, form: AnswerForm | None = None, status: int = 200
) -> HttpResponse:
    user, decision = require_user(request), row.notice.decision
    refusal = ""
    try:
        appealing.require_may_decide(user, row)
    except DomainError as error:
        refusal = error.message
    case = decision.case
    context = {
        "appeal": row,
        "decision": decision,
        "action": ACTIONS[decision.action],
        "reason": Reason(decision.reason).label,
        "target": moderated.load(decision.about),
        "refusal": refusal,
        "facts": sorted(row.data.items()),
        "restoring": appealing.restoring_after(row),
        "may_open_case": case is not None and judging.open_to(user).filter(pk=case.pk).exists(),
        "form": form or AnswerForm(milder=appealing.milder(decision), initial={"hours": 24}),
    }
    return render(request, "portal/moderation/appeal.html", context, status=status)
