"""/api/v1/webhooks: a person's and organizations' webhooks, their deliveries, sending again and a trial."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import webhooks
from models_hub.api.pages import HubView
from models_hub.models import Webhook, WebhookDelivery
from models_hub.models.webhooks import DOMAINS, TARGETS
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.authentication import require_user
from portal.context import site_address
from portal.errors import NotAllowed
from portal.models import Namespace, Organization, User
from portal.names import MAX_NAME
from portal.permissions import can_administer
from portal.reach import may_use


class TargetShape(serializers.Serializer[Any]):
    """One account or repository that is watched; it need not exist yet."""

    type = serializers.ChoiceField(choices=TARGETS)
    name = serializers.CharField(max_length=200)


class WebhookShape(serializers.ModelSerializer[Webhook]):
    """An address that is told what happens. Its secret is never shown."""

    id = serializers.IntegerField()
    organization = serializers.CharField(source="organization.name", default=None, allow_null=True)
    watched = TargetShape(source="targets", many=True)
    domains = serializers.ListField(child=serializers.ChoiceField(choices=DOMAINS))
    is_on = serializers.SerializerMethodField()
    why_off = serializers.SerializerMethodField(help_text="Where the portal switched it off.")
    failures = serializers.IntegerField(help_text="How many deliveries in a row failed.")

    class Meta:
        model = Webhook
        fields = ("id", "organization", "url", "watched", "domains", "is_on", "why_off", "failures", "created_at")

    def get_is_on(self, webhook: Webhook) -> bool:
        return not webhook.disabled

    def get_why_off(self, webhook: Webhook) -> str:
        return _(webhook.disabled_reason) if webhook.disabled_reason else ""


class WebhookChanges(serializers.Serializer[None]):
    """What is to change; what is not named stays, the secret included."""

    url = serializers.URLField(max_length=1000, required=False)
    watched = TargetShape(many=True, required=False)
    domains = serializers.ListField(child=serializers.ChoiceField(choices=DOMAINS), required=False)
    secret = serializers.CharField(
        max_length=webhooks.MAX_SECRET, required=False, allow_blank=True, help_text="Sent as `X-Webhook-Secret`."
    )
    is_on = serializers.BooleanField(required=False, help_text="Switching it on forgets its failures.")


class NewWebhookInput(serializers.Serializer[None]):
    """A webhook that is to be; of an organization if one is named, for its admins."""

    organization = serializers.CharField(max_length=MAX_NAME, default="", allow_blank=True)
    url = serializers.URLField(max_length=1000)
    watched = TargetShape(many=True)
    domains = serializers.ListField(child=serializers.ChoiceField(choices=DOMAINS), default=list(DOMAINS))
    secret = serializers.CharField(max_length=webhooks.MAX_SECRET, default="", allow_blank=True)


class DeliveryShape(serializers.ModelSerializer[WebhookDelivery]):
    """One event on its way to a webhook, and how that went."""

    id = serializers.IntegerField()
    is_again = serializers.BooleanField(source="is_repeat", help_text="Whether it was sent again by hand.")
    state = serializers.ChoiceField(choices=WebhookDelivery.State.choices)
    status = serializers.IntegerField(allow_null=True, help_text="What the receiver answered.")
    reason = serializers.SerializerMethodField(help_text="Why it failed or was not sent.")

    class Meta:
        model = WebhookDelivery
        fields: tuple[str, ...] = (
            "id", "scope", "action", "is_again", "state", "attempts", "status", "reason", "created_at", "finished_at"
        )  # fmt: skip

    def get_reason(self, delivery: WebhookDelivery) -> str:
        return _(delivery.reason) if delivery.reason else ""


class WholeDeliveryShape(DeliveryShape):
    """A delivery with what was sent and the beginning of what was answered."""

    class Meta(DeliveryShape.Meta):
        fields = (*DeliveryShape.Meta.fields, "body", "answer")


class Webhooks(HubView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=[query("organization", str, "Those of an organization, for its admins."), *PAGE],
        responses=paged(WebhookShape),
    )
    def get(self, request: Request) -> Response:
        """List your webhooks, or an organization's."""
        user = _keeper(request)
        rows = (_organization(user, request.query_params.get("organization", "")) or user).webhooks.within(user)
        pages = NewestFirst()
        found = rows.select_related("organization__namespace").prefetch_related("targets")
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(WebhookShape(page, many=True).data)

    @extend_schema(request=NewWebhookInput, responses={201: WebhookShape})
    @once
    def post(self, request: Request) -> Response:
        """Have an address told of what happens, from now on."""
        user = _keeper(request)
        sent = NewWebhookInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        values["organization"] = _organization(user, values["organization"])
        values["watched"] = _pairs(values["watched"])
        return Response(WebhookShape(webhooks.create(by=user, site=site_address(request), **values)).data, status=201)


class OneWebhook(HubView):
    @extend_schema(responses=WebhookShape)
    def get(self, request: Request, webhook_id: int) -> Response:
        """Read one webhook."""
        return Response(WebhookShape(_find(request, webhook_id)).data)

    @extend_schema(request=WebhookChanges, responses=WebhookShape)
    def patch(self, request: Request, webhook_id: int) -> Response:
        """Change a webhook, or switch it on or off."""
        found, user = _find(request, webhook_id), _keeper(request)
        sent = WebhookChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        is_on = values.pop("is_on", None)
        if "watched" in values:
            values["watched"] = _pairs(values["watched"])
        if values:
            webhooks.change(found, by=user, **values)
        if is_on is not None:
            webhooks.switch(found, on=is_on, by=user)
        return Response(WebhookShape(found).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, webhook_id: int) -> Response:
        """Delete a webhook with the record of its deliveries."""
        webhooks.delete(_find(request, webhook_id), by=_keeper(request))
        return Response(status=204)


class Ping(HubView):
    @extend_schema(request=None, responses={201: DeliveryShape})
    @once
    def post(self, request: Request, webhook_id: int) -> Response:
        """Send a trial that tells of nothing, with the scope `webhook` and the action `ping`."""
        sent = webhooks.ping(_find(request, webhook_id), by=_keeper(request))
        return Response(DeliveryShape(sent).data, status=201)


class Deliveries(HubView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(DeliveryShape))
    def get(self, request: Request, webhook_id: int) -> Response:
        """List what was sent, the latest first; it is kept for 30 days."""
        pages = NewestFirst()
        page = pages.paginate_queryset(_find(request, webhook_id).deliveries.all(), request, view=self) or []
        return pages.get_paginated_response(DeliveryShape(page, many=True).data)


class OneDelivery(HubView):
    @extend_schema(responses=WholeDeliveryShape)
    def get(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        """Read what was sent and what was answered."""
        return Response(WholeDeliveryShape(_delivery(request, webhook_id, delivery_id)).data)


class Redelivery(HubView):
    @extend_schema(request=None, responses={201: DeliveryShape})
    @once
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        """Send an event again, as it looks now."""
        found = _delivery(request, webhook_id, delivery_id)
        return Response(DeliveryShape(webhooks.repeat(found, by=_keeper(request))).data, status=201)


def _keeper(request: Request) -> User:
    """Return the caller, whose token may look after webhooks."""
    user = require_user(request)
    if not may_use(user, "webhooks"):
        raise NotAllowed(_("This access token was not given the permission “%(name)s”.") % {"name": "webhooks"})
    return user


def _organization(user: User, name: str) -> Organization | None:
    """Return an organization that the caller administers; None without a name."""
    if not name:
        return None
    found = Organization.objects.select_related("namespace")
    organization = get_object_or_404(found, namespace__in=Namespace.objects.known_as(name))
    if not can_administer(user, organization.namespace):
        raise NotAllowed(_("Only an admin of this organization may do that."))
    return organization


def _find(request: Request, webhook_id: int) -> Webhook:
    return webhooks.find_for(_keeper(request), webhook_id)


def _delivery(request: Request, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    return get_object_or_404(_find(request, webhook_id).deliveries, pk=delivery_id)


def _pairs(watched: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(one["type"], one["name"]) for one in watched]
