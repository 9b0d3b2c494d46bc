"""The queue of moderators: cases by weight, one case with all that belongs to it, and what is decided."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal import casework, deciding, judging
from portal.authentication import require_user
from portal.errors import DomainError, NotAllowed, status_of
from portal.mod_actions import ACTIONS
from portal.models import Appeal, Case, Decision, Reason, User
from portal.moderation_forms import DecisionForm

PAGE = 30
MAX_BULK = 100
IN_BULK = ("dismiss", "ignore", "hide", "remove", "approve", "refuse")
View = Callable[..., HttpResponseBase]


def for_moderators(view: View) -> View:
    """Open a page to staff and to stewards; others get 403."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not judging.may_moderate(require_user(request)):
            raise NotAllowed(_("Only moderators may see this."))
        return view(request, *args, **kwargs)

    return guarded


def for_staff(view: View) -> View:
    """Open a page to staff alone."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not require_user(request).is_staff:
            raise NotAllowed(_("Only moderators may see this."))
        return view(request, *args, **kwargs)

    return guarded


@for_moderators
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Cases, the heaviest first; of decided ones the latest first."""
    user, filters = require_user(request), casework.Filters.read(request.GET)
    page = casework.page_of(filters, user=user, size=PAGE)
    context = {
        "page": page,
        "filters": filters,
        "kinds": Case.Kind.choices,
        "reasons": Reason.choices,
        "counts": casework.counts(user),
        "appeals": Appeal.objects.filter(status=Appeal.Status.OPEN).count() if user.is_staff else 0,
        "bulk": [ACTIONS[name] for name in IN_BULK],
    }
    return render(request, "portal/moderation/queue.html", context)


@for_moderators
@require_safe
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """One case: the thing, what is said against it, its author, cases like it, and what can be done."""
    user = require_user(request)
    return _case_page(request, user, _load(user, case_id))


@for_moderators
@require_POST
def decision(request: HttpRequest, case_id: int) -> HttpResponse:
    """Decide a case."""
    user = require_user(request)
    row = _load(user, case_id)
    form = DecisionForm(request.POST, actions=judging.choices(row, user))
    if not form.is_valid():
        return _case_page(request, user, row, form=form, status=400)
    given = form.cleaned_data
    try:
        made = deciding.decide(
            row, by=user, action=given["action"], version=given["version"], reason=given["reason"],
            text=given["text"], internal=given["internal"], hours=given["hours"] or None,
        )  # fmt: skip
    except DomainError as error:
        form.add_error(None, error.message)
        row.refresh_from_db()
        return _case_page(request, user, row, form=form, status=status_of(error))
    if made.is_waiting:
        messages.success(request, _("Proposed. It takes effect when somebody else confirms it."))
        return redirect("moderation_case", case_id=row.pk)
    messages.success(request, _("Done: %(action)s.") % {"action": ACTIONS[made.action].label})
    return redirect("moderation")


@for_moderators
@require_POST
def claim(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take a case, or let it go."""
    user = require_user(request)
    try:
        deciding.claim(_load(user, case_id), by=user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("moderation_case", case_id=case_id)


@for_moderators
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Decide several cases alike; those that somebody else changed meanwhile are left."""
    user = require_user(request)
    action, reason = request.POST.get("action", ""), request.POST.get("reason", "")
    chosen = [value.partition(":") for value in request.POST.getlist("case")[:MAX_BULK]]
    known = [(pk, version) for pk, _c, version in chosen if pk.isdecimal() and version.isdecimal()]
    versions = {int(pk): int(version) for pk, version in known if len(pk) < 19 and len(version) < 19}
    done, left = 0, 0
    for row in judging.open_to(user).filter(pk__in=versions):
        try:
            deciding.decide(row, by=user, action=action, version=versions[row.pk], reason=reason)
            done += 1
        except DomainError:
            left += 1
    text = ngettext("%(n)d case is decided.", "%(n)d cases are decided.", done) % {"n": done}
    if left:
        text += " " + ngettext(
            "%(n)d was left as it is: it changed meanwhile, is yours, or does not allow that.",
            "%(n)d were left as they are: they changed meanwhile, are yours, or do not allow that.",
            left,
        ) % {"n": left}
    (messages.success if done else messages.error)(request, text)
    return redirect("moderation")


@for_moderators
@require_POST
def confirmation(request: HttpRequest, decision_id: int) -> HttpResponse:
    """Confirm what somebody else has proposed, or take a proposal back."""
    return _on_decision(request, decision_id, withdraw=request.POST.get("withdraw") == "1")


@for_moderators
@require_POST
def undoing(request: HttpRequest, decision_id: int) -> HttpResponse:
    """Put things back as they were."""
    user = require_user(request)
    row = get_object_or_404(Decision.objects.select_related("case"), pk=decision_id)
    if row.case is None or not judging.may_judge(user, row.case):
        raise NotAllowed(_("Somebody else must decide this."))
    try:
        deciding.undo(row, by=user, internal=request.POST.get("internal", "")[:4000])
        messages.success(request, _("Undone."))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("moderation_case", case_id=row.case_id)


def _on_decision(request: HttpRequest, decision_id: int, *, withdraw: bool) -> HttpResponse:
    user = require_user(request)
    row = get_object_or_404(Decision.objects.select_related("case"), pk=decision_id, case__isnull=False)
    try:
        (deciding.withdraw if withdraw else deciding.confirm)(row, by=user)
        messages.success(request, _("The proposal is taken back.") if withdraw else _("Confirmed."))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("moderation_case", case_id=row.case_id)


def _load(user: User, case_id: int) -> Case:
    return get_object_or_404(judging.open_to(user).select_related("author", "claimed_by"), pk=case_id)


def _case_page(
    request: HttpRequest, user: User, row: Case, *, form: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    may_judge = judging.may_judge(user, row)
    actions = judging.choices(row, user)
    first = max(row.reasons, key=lambda name: row.reasons[name], default=Reason.OTHER)
    context = {
        "case": row,
        "file": casework.file_of(row, user=user),
        "may_judge": may_judge,
        "actions": actions,
        "form": form or DecisionForm(initial={"version": row.version, "reason": first, "hours": 24}, actions=actions),
    }
    return render(request, "portal/moderation/case.html", context, status=status)
