"""/api/v1/…/publishers: programs that may publish without a stored secret, of a repository or of an owner."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import trusting
from models_hub.api.pages import HubView
from portal.api.idempotency import once
from portal.authentication import require_user
from portal.context import site_address
from portal.models import Namespace, TrustedPublisher, User
from portal.oauth import publishers
from portal.oauth.resources import Resource


class PublisherInput(serializers.Serializer[None]):
    """A publisher that is to be trusted."""

    provider = serializers.ChoiceField(choices=TrustedPublisher.Provider.choices)
    claims = serializers.DictField(
        child=serializers.CharField(max_length=publishers.MAX_VALUE),
        help_text="What its tokens must say: repository, workflow, environment and ref of GitHub, project_path and ref "
        "of GitLab, sub of another issuer; in ref and sub a star stands for anything.",
    )
    issuer = serializers.CharField(default="", allow_blank=True, max_length=publishers.MAX_VALUE)
    audience = serializers.CharField(
        default="", allow_blank=True, max_length=publishers.MAX_VALUE, help_text="Empty for the address of this portal."
    )
    level = serializers.ChoiceField(choices=("read", "write"), default="write")


class PublisherShape(serializers.ModelSerializer[TrustedPublisher]):
    """A trusted publisher; `pinned` are ids that its first token gave to its names, which later ones must bear too."""

    claims = serializers.DictField(child=serializers.CharField())
    pinned = serializers.DictField(child=serializers.CharField())
    level = serializers.SerializerMethodField()
    created_by = serializers.SlugRelatedField[User]("username", read_only=True)

    class Meta:
        model = TrustedPublisher
        fields = (
            "id", "provider", "issuer", "audience", "claims", "pinned", "level", "created_by", "created_at", "used_at",
            "refused_at", "refused_claim",
        )  # fmt: skip

    def get_level(self, publisher: TrustedPublisher) -> str:
        return "write" if publisher.level == TrustedPublisher.Levels.WRITE else "read"


class Publishers(HubView):
    @extend_schema(responses=PublisherShape(many=True))
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List who may publish to the repository without a stored secret, which admins of the owner may."""
        resource = trusting.resource_of(self.managed(request, kind, namespace, name))
        return Response(PublisherShape(publishers.of(resource), many=True).data)

    @extend_schema(request=PublisherInput, responses={201: PublisherShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Trust a publisher with the repository."""
        return _added(request, trusting.resource_of(self.managed(request, kind, namespace, name)))


class OnePublisher(HubView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str, publisher: int) -> Response:
        """Trust it no longer; its tokens end at once."""
        return _removed(request, trusting.resource_of(self.managed(request, kind, namespace, name)), publisher)


class OwnerPublishers(HubView):
    @extend_schema(responses=PublisherShape(many=True))
    def get(self, request: Request, owner: str) -> Response:
        """List who may publish to all repositories of an owner."""
        return Response(PublisherShape(publishers.of(_owned(request, owner)), many=True).data)

    @extend_schema(request=PublisherInput, responses={201: PublisherShape})
    @once
    def post(self, request: Request, owner: str) -> Response:
        """Trust a publisher with all repositories of an owner; each of its tokens is good for one of them."""
        return _added(request, _owned(request, owner))


class OneOwnerPublisher(HubView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, owner: str, publisher: int) -> Response:
        """Trust it no longer; its tokens end at once."""
        return _removed(request, _owned(request, owner), publisher)


def _owned(request: Request, owner: str) -> Resource:
    user = require_user(request)
    found = get_object_or_404(Namespace.objects.select_related("user", "organization").known_as(owner))
    trusting.require_owner(user, found)
    return trusting.resource_of_owner(found)


def _added(request: Request, resource: Resource) -> Response:
    sent = PublisherInput(data=request.data)
    sent.is_valid(raise_exception=True)
    values: dict[str, Any] = dict(sent.validated_data)
    levels = TrustedPublisher.Levels
    values["level"] = levels.WRITE if values["level"] == "write" else levels.READ
    values["audience"] = values["audience"] or site_address(request)
    made = publishers.add(resource, by=require_user(request), **values)
    return Response(PublisherShape(made).data, status=201)


def _removed(request: Request, resource: Resource, number: int) -> Response:
    publishers.remove(publishers.find(resource, number), resource, by=require_user(request))
    return Response(status=204)
