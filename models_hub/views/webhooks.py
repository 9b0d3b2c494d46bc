"""A person's webhooks: made, switched, looked after."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from models_hub import webhooks as verbs
from models_hub.webhook_forms import WebhookChanges, WebhookForm
from portal.authentication import require_user
from portal.context import site_address
from portal.errors import Conflict, DomainError, NotAllowed
from portal.models import Namespace, Organization, User
from portal.permissions import can_administer

DELIVERIES = 50


@never_cache
@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """List one's webhooks and make one."""
    return _list(request, require_user(request), None)


@never_cache
@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def of_organization(request: HttpRequest, name: str) -> HttpResponse:
    """List the webhooks of an organization and make one, for its admins."""
    user = require_user(request)
    found = Organization.objects.select_related("namespace")
    organization = get_object_or_404(found, namespace__in=Namespace.objects.known_as(name))
    if not can_administer(user, organization.namespace):
        raise NotAllowed(_("Only an admin of this organization may do that."))
    return _list(request, user, organization)


def _list(request: HttpRequest, user: User, organization: Organization | None) -> HttpResponse:
    initial = {"domains": ["repo", "discussion"], "watched": organization.name if organization else ""}
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            made = verbs.create(
                by=user, site=site_address(request), organization=organization, **form.cleaned_data
            )  # fmt: skip
            return redirect("settings_webhook", webhook_id=made.pk)
        except DomainError as error:
            form.add_error("url", error.message)
    rows = (organization or user).webhooks.prefetch_related("targets").order_by("-id")
    context = {"form": form, "webhooks": rows, "organization": organization, "may_administer": True}
    whose = "settings" if organization is None else "organizations"
    page = f"models_hub/{whose}/webhooks.html"
    return render(request, page, context, status=400 if form.is_bound else 200)


@never_cache
@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """One webhook with its latest deliveries; what it watches can be changed."""
    user = require_user(request)
    found = verbs.find_for(user, webhook_id)
    targets = list(found.targets.all())
    form = WebhookChanges(request.POST if request.method == "POST" else None, found, targets)
    if form.is_valid():
        try:
            verbs.change(found, by=user, **form.changes())
            messages.success(request, _("The webhook is changed."))
            return redirect("settings_webhook", webhook_id=found.pk)
        except DomainError as error:
            form.add_error("url", error.message)
    deliveries = found.deliveries.select_related("event")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        deliveries = deliveries.filter(pk__lt=int(before))
    rows = list(deliveries.order_by("-id")[: DELIVERIES + 1])
    context = {
        "webhook": found,
        "form": form,
        "targets": targets,
        "deliveries": rows[:DELIVERIES],
        "next": rows[DELIVERIES - 1].pk if len(rows) > DELIVERIES else None,
    }
    return render(request, "models_hub/settings/webhook.html", context, status=400 if form.is_bound else 200)


@require_POST
def switch(request: HttpRequest, webhook_id: int) -> HttpResponse:
    user = require_user(request)
    found = verbs.find_for(user, webhook_id)
    verbs.switch(found, on=request.POST.get("on") == "1", by=user)
    return redirect("settings_webhook", webhook_id=found.pk)


@require_POST
def removal(request: HttpRequest, webhook_id: int) -> HttpResponse:
    user = require_user(request)
    found = verbs.find_for(user, webhook_id)
    verbs.delete(found, by=user)
    messages.success(request, _("The webhook is deleted."))
    if found.organization is not None:
        return redirect("organization_webhooks", name=found.organization.name)
    return redirect("settings_webhooks")


@require_POST
def ping(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Send a trial."""
    user = require_user(request)
    found = verbs.find_for(user, webhook_id)
    try:
        verbs.ping(found, by=user)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("A trial is on its way; it will be among the deliveries."))
    return redirect("settings_webhook", webhook_id=found.pk)


@require_POST
def repetition(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """Send an event again."""
    user = require_user(request)
    found = verbs.find_for(user, webhook_id)
    verbs.repeat(get_object_or_404(found.deliveries, pk=delivery_id), by=user)
    messages.success(request, _("It is on its way again."))
    return redirect("settings_webhook", webhook_id=found.pk)
