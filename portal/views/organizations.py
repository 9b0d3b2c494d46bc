"""Organizations: founding one, presenting it, and who is in it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.authentication import require_user
from portal.errors import Conflict, DomainError, NotAllowed, status_of
from portal.forms import InvitationForm, OrganizationForm, OrganizationProfileForm, RoleForm
from portal.models import Invitation, Membership, Namespace, Organization, User
from portal.permissions import can_administer
from portal.views.invitations import invite


def load(name: str) -> Organization:
    """Return the organization of this name, or that had it before."""
    found = Organization.objects.select_related("namespace")
    return get_object_or_404(found, namespace__in=Namespace.objects.known_as(name))


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """The organizations one is in."""
    user = require_user(request)
    memberships = user.memberships.select_related("organization").order_by("organization__name")
    invitations = Invitation.objects.for_person(user).select_related("organization", "invited_by").order_by("-id")
    context = {"memberships": memberships, "invitations": invitations}
    return render(request, "portal/settings/organizations.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def founding(request: HttpRequest) -> HttpResponse:
    """Found an organization."""
    user = require_user(request)
    form, status = OrganizationForm(request.POST if request.method == "POST" else None), 200
    if form.is_valid():
        try:
            organization = Organization.found(by=user, **form.cleaned_data)
        except DomainError as error:
            form.add_error("name", error.message)
            status = status_of(error)
        else:
            messages.success(request, _("The organization is founded. Add its members."))
            return redirect("organization_members", name=organization.name)
    elif form.is_bound:
        status = 400
    return render(request, "portal/organizations/new.html", {"form": form}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest, name: str) -> HttpResponse:
    """Change how an organization is presented."""
    user, organization = require_user(request), load(name)
    if not can_administer(user, organization.namespace):
        raise NotAllowed(_("Only an admin of this organization may do that."))
    initial: dict[str, object] = {
        "title": organization.title,
        "about": organization.about,
        "links": organization.links,
    }
    form = OrganizationProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        context = {"organization": organization, "form": form, "may_administer": True}
        return render(request, "portal/organizations/profile.html", context, status=400 if form.is_bound else 200)
    organization.introduce(by=user, **form.cleaned_data)
    messages.success(request, _("The profile is saved."))
    return redirect("organization_profile", name=organization.name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, name: str) -> HttpResponse:
    """List members, and invite somebody."""
    user, organization = require_user(request), load(name)
    may_administer = can_administer(user, organization.namespace)
    if not may_administer and organization.role_of(user) is None:
        raise NotAllowed(_("Only members of this organization may see this page."))
    form, status = InvitationForm(request.POST if request.method == "POST" else None), 200
    if form.is_valid():
        try:
            invite(request, organization, by=user, **form.cleaned_data)
        except Conflict as error:
            form.add_error("whom", error.message)
            status = status_of(error)
        else:
            return redirect("organization_members", name=organization.name)
    elif form.is_bound:
        status = 400
    pending = Invitation.objects.pending().filter(organization=organization)
    context = {
        "organization": organization,
        "memberships": organization.memberships.select_related("user").order_by("created_at", "id"),
        "invitations": pending.select_related("user", "invited_by").order_by("-id") if may_administer else [],
        "roles": Membership.Role.choices,
        "form": form,
        "may_administer": may_administer,
        "lacks_mfa": organization.requires_mfa and not user.has_second_factor,
    }
    return render(request, "portal/organizations/members.html", context, status=status)


@require_POST
def role(request: HttpRequest, name: str, username: str) -> HttpResponse:
    """Give a member another role."""
    user, organization = require_user(request), load(name)
    member = get_object_or_404(User, username=username, memberships__organization=organization)
    form = RoleForm(request.POST)
    try:
        organization.add(member, role=form.data.get("role", ""), by=user)
        messages.success(request, _("The role of %(name)s is changed.") % {"name": member.username})
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("organization_members", name=organization.name)


@require_POST
def removal(request: HttpRequest, name: str, username: str) -> HttpResponse:
    """Take a member out, or leave."""
    user, organization = require_user(request), load(name)
    member = get_object_or_404(User, username=username, memberships__organization=organization)
    try:
        organization.remove(member, by=user)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("organization_members", name=organization.name)
    if member == user:
        messages.success(request, _("You have left %(name)s.") % {"name": organization.name})
        return redirect("settings_organizations")
    messages.success(request, _("%(name)s is no longer a member.") % {"name": member.username})
    return redirect("organization_members", name=organization.name)
