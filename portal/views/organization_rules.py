"""What an organization asks of its members, the domains it has proved, and who leads it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import proving_domains, renaming
from portal.account_settings_forms import RenameForm
from portal.authentication import confirmed, require_user
from portal.errors import Conflict, DomainError, InvalidInput, NotAllowed, status_of
from portal.forms import AvatarForm, DomainForm, HandoverForm, OrganizationRulesForm
from portal.models import Domain, Organization, User
from portal.permissions import can_administer
from portal.views.organizations import load


def _admin_of(request: HttpRequest, name: str) -> tuple[User, Organization]:
    user, organization = require_user(request), load(name)
    if not can_administer(user, organization.namespace):
        raise NotAllowed(_("Only an admin of this organization may do that."))
    return user, organization


def _page(request: HttpRequest, organization: Organization, *, status: int = 200, **forms: object) -> HttpResponse:
    initial = {"requires_mfa": organization.requires_mfa, "members_public": organization.members_public}
    context = {
        "organization": organization,
        "may_administer": True,
        "form": OrganizationRulesForm(initial=initial),
        "domain_form": DomainForm(auto_id="id_domain_%s"),
        "rename": RenameForm(auto_id="id_rename_%s"),
        "domains": organization.domains.order_by("name"),
        "others": organization.memberships.exclude(user=request.user.pk).select_related("user").order_by("id"),
        "well_known": proving_domains.WELL_KNOWN,
        **forms,
    }
    return render(request, "portal/organizations/rules.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, name: str) -> HttpResponse:
    """Change what is asked of members."""
    user, organization = _admin_of(request, name)
    form = OrganizationRulesForm(request.POST) if request.method == "POST" else None
    if form is None or not form.is_valid():
        return _page(request, organization)
    try:
        organization.rule(by=user, **form.cleaned_data)
    except Conflict as error:
        form.add_error("requires_mfa", error.message)
        return _page(request, organization, status=status_of(error), form=form)
    messages.success(request, _("The rules are saved."))
    return redirect("organization_rules", name=organization.name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def rename(request: HttpRequest, name: str) -> HttpResponse:
    """Give the organization another name."""
    user, organization = _admin_of(request, name)
    form = RenameForm(request.POST or None, auto_id="id_rename_%s")
    if request.method != "POST":
        return redirect("organization_rules", name=organization.name)
    if not form.is_valid():
        return _page(request, organization, status=400, rename=form)
    try:
        renaming.rename_organization(organization, name=form.cleaned_data["name"], by=user)
    except DomainError as error:
        form.add_error("name", error.message)
        return _page(request, load(name), status=status_of(error), rename=form)
    messages.success(request, _("The name of the organization is %(name)s now.") % {"name": organization.name})
    return redirect("organization_rules", name=organization.name)


@require_POST
@confirmed()
def handover(request: HttpRequest, name: str) -> HttpResponse:
    """Let another member lead in one's own place."""
    user, organization = _admin_of(request, name)
    form = HandoverForm(request.POST)
    member = User.objects.filter(username=form.data.get("username", "")[:150], memberships__organization=organization)
    try:
        organization.hand_over(get_object_or_404(member), by=user)
    except InvalidInput as error:
        messages.error(request, error.message)
        return redirect("organization_rules", name=organization.name)
    messages.success(request, _("The organization is handed over. You stay in it with the role “write”."))
    return redirect("organization_members", name=organization.name)


@require_POST
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """Choose the organization's picture, or go back to the letter."""
    _user, organization = _admin_of(request, name)
    form = AvatarForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            form.apply_to(organization.namespace)
            messages.success(request, _("The picture is saved."))
        except DomainError as error:
            messages.error(request, error.message)
    else:
        messages.error(request, _("Choose a picture first."))
    return redirect("organization_profile", name=organization.name)


@require_POST
def domains(request: HttpRequest, name: str) -> HttpResponse:
    """Begin to prove a domain."""
    user, organization = _admin_of(request, name)
    form = DomainForm(request.POST, auto_id="id_domain_%s")
    if not form.is_valid():
        return _page(request, organization, status=400, domain_form=form)
    try:
        Domain.claim(organization, form.cleaned_data["name"], by=user)
    except DomainError as error:
        form.add_error("name", error.message)
        return _page(request, organization, status=status_of(error), domain_form=form)
    return redirect("organization_rules", name=organization.name)


def _domain(organization: Organization, domain_id: int) -> Domain:
    return get_object_or_404(organization.domains.select_related("organization"), pk=domain_id)


@require_POST
def check(request: HttpRequest, name: str, domain_id: int) -> HttpResponse:
    """Look whether the domain proves it now."""
    user, organization = _admin_of(request, name)
    domain = _domain(organization, domain_id)
    if proving_domains.check(domain, by=user):
        messages.success(request, _("%(domain)s is verified.") % {"domain": domain.name})
    else:
        text = _("%(domain)s does not show the proof yet. A new record may take some hours to be seen.")
        messages.error(request, text % {"domain": domain.name})
    return redirect("organization_rules", name=organization.name)


@require_POST
def removal(request: HttpRequest, name: str, domain_id: int) -> HttpResponse:
    """Give up a domain."""
    user, organization = _admin_of(request, name)
    _domain(organization, domain_id).drop(by=user)
    messages.success(request, _("The domain is removed."))
    return redirect("organization_rules", name=organization.name)
