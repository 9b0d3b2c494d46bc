"""Access to a gated repository: asked for on its page, given and refused on its settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from models_hub import gating
from models_hub.models import AccessRequest, Repo
from models_hub.publishing import require_writer
from models_hub.settings_forms import AccessForm, DecisionForm, GrantForm
from models_hub.views.pages import gate_of, repo_page, respond
from portal.authentication import require_user
from portal.errors import DomainError, NotFound, status_of

PAGE = 20


@repo_page
@require_POST
def ask(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Ask for access, answering what the card asks."""
    user = require_user(request)
    form = AccessForm(request.POST, asked=gating.fields_of(repo))
    if not form.is_valid():
        return respond(
            request, repo, "models_hub/repos/gate.html", tab="card", status=400, gate=gate_of(request, repo, form)
        )
    made = gating.ask(repo, by=user, answers=form.answers)
    if made.status == AccessRequest.Status.ACCEPTED:
        messages.success(request, _("You may download this repository now."))
    else:
        messages.success(request, _("The owner has been asked. This page will tell you the answer."))
    return redirect(repo.path)


@repo_page
@require_safe
def requests(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Who asked, in lists by what became of it."""
    return _requests(request, repo, GrantForm())


@repo_page
@require_POST
def decision(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Accept or reject a request, or put it back among the pending."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise NotFound(_("There is no such access request for this repository."))
    row = gating.find(repo, by=require_user(request), request_id=f"{form.cleaned_data['request']:x}")
    gating.decide(row, by=request.user, status=form.cleaned_data["status"], reason=form.cleaned_data["reason"])
    messages.success(
        request, _("%(name)s: %(status)s") % {"name": row.user.username, "status": row.get_status_display()}
    )
    return redirect(f"{repo.path}/settings/access")


@repo_page
@require_POST
def grant(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Let somebody in who has not asked."""
    form, status = GrantForm(request.POST), 400
    if form.is_valid():
        try:
            row = gating.grant(repo, by=require_user(request), username=form.cleaned_data["username"])
        except DomainError as error:
            form.add_error("username", error.message)
            status = status_of(error)
        else:
            messages.success(request, _("%(name)s has access now.") % {"name": row.user.username})
            return redirect(f"{repo.path}/settings/access?status=accepted")
    return _requests(request, repo, form, status=status)


def _requests(request: HttpRequest, repo: Repo, form: GrantForm, status: int = 200) -> HttpResponse:
    require_user(request)
    require_writer(request.user, repo)
    shown = request.GET.get("status", "")
    shown = shown if shown in AccessRequest.Status.values else str(AccessRequest.Status.PENDING)
    rows = AccessRequest.objects.filter(repo=repo, status=shown).select_related("user").order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    listed = list(rows[: PAGE + 1])
    context: dict[str, Any] = {
        "form": form,
        "statuses": AccessRequest.Status.choices,
        "shown": shown,
        "rows": gating.in_order(repo, listed[:PAGE]),
        "before": listed[PAGE - 1].pk if len(listed) > PAGE else None,
    }
    return respond(request, repo, "models_hub/repos/access.html", tab="settings", status=status, **context)
