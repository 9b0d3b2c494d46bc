"""Invitations to an organization: sent, withdrawn, accepted or declined."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import inviting
from portal.authentication import require_user
from portal.context import site_address
from portal.errors import Conflict
from portal.models import Invitation, Organization, User


def invite(request: HttpRequest, organization: Organization, *, by: User, whom: User | str, role: str) -> None:
    """Send an invitation and say so."""
    invitation = inviting.invite(organization, by=by, whom=whom, role=role, site=site_address(request))
    messages.success(request, _("%(name)s is invited.") % {"name": invitation.whom})


@require_POST
def withdrawal(request: HttpRequest, name: str, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    user = require_user(request)
    pending = Invitation.objects.pending().select_related("organization", "user")
    invitation = get_object_or_404(pending, pk=invitation_id, organization__namespace__lower=name.lower())
    invitation.withdraw(by=user)
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("organization_members", name=invitation.organization.name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer the invitation that a mail's link opens."""
    user = require_user(request)
    invitation = Invitation.opened_by(secret)
    if request.method == "POST":
        return _answer(request, invitation, user)
    return render(request, "portal/organizations/invitation.html", {"invitation": invitation})


@require_POST
def answer(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Answer an invitation that was sent by name."""
    user = require_user(request)
    mine = Invitation.objects.for_person(user).select_related("organization")
    return _answer(request, get_object_or_404(mine, pk=invitation_id), user)


def _answer(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    name = invitation.organization.name
    try:
        if "decline" in request.POST:
            invitation.decline(by=user)
            messages.success(request, _("The invitation is declined."))
            return redirect("settings_organizations")
        invitation.accept(by=user)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("settings_organizations")
    messages.success(request, _("You are a member of %(name)s now.") % {"name": name})
    return redirect("organization_members", name=name)
