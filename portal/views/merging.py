"""Two accounts become one: the offer, what would move, the acceptance, and how far it has come."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import belongings, merging
from portal.account_settings_forms import DeletionForm, MergeForm, ProposalForm
from portal.authentication import confirmed, require_user
from portal.errors import DomainError, status_of
from portal.models import Handover, User


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def offers(request: HttpRequest) -> HttpResponse:
    """Offer one's account to another; and what others offer."""
    user, form = require_user(request), MergeForm(request.POST or None)
    if request.method != "POST":
        return _offers(request, user, form)
    if not form.is_valid():
        return _offers(request, user, form, status=400)
    try:
        merging.offer(user, into=form.cleaned_data["into"])
    except DomainError as error:
        form.add_error("into", error.message)
        return _offers(request, user, form, status=status_of(error))
    messages.success(request, _("Sign in to the other account now, and accept it there."))
    return redirect("merging")


def _offers(request: HttpRequest, user: User, form: MergeForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "offered": merging.offer_of(user), "offers": merging.offers_to(user)}
    return render(request, "portal/settings/merging.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """What would move, and the acceptance; afterwards, how far it has come."""
    user = require_user(request)
    row, form, status = merging.find(pk, by=user), DeletionForm(request.POST or None), 200
    if request.method == "POST" and row.began_at is None:
        status = 400
        if form.is_valid() and form.cleaned_data["typed"].strip() == row.name:
            try:
                merging.accept(row, by=user)
                return redirect("merge", pk=row.pk)
            except DomainError as error:
                form.add_error("typed", error.message)
                status = status_of(error)
        elif form.is_valid():
            form.add_error("typed", _("Type the account name exactly as it stands there."))
    return render(request, "portal/settings/merge.html", {**_facts(row), "form": form}, status=status)


def _facts(row: Handover) -> dict[str, object]:
    facts: dict[str, object] = {"row": row, "moved": sum(row.counts.values())}
    if row.began_at is None and row.into is not None:
        source = merging.source_of(row)
        facts |= {"preview": belongings.preview(source), "obstacles": belongings.obstacles(source, row.into)}
    return facts


@require_POST
def withdrawal(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back or refuse what nobody has accepted."""
    user = require_user(request)
    merging.withdraw(pk, by=user)
    messages.success(request, _("The accounts stay apart."))
    return redirect("merging")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def proposal(request: HttpRequest) -> HttpResponse:
    """Name two accounts of others, as an admin; what would move is shown next."""
    user, form, status = require_user(request), ProposalForm(request.POST or None), 200
    merging.require_admin(user)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return redirect("merge", pk=merging.propose(by=user, **form.cleaned_data).pk)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
    context = {"form": form, "offered": Handover.objects.offered().filter(asked_by=user).select_related("into")}
    return render(request, "portal/settings/merge_proposal.html", context, status=status)
