"""/api/v1/…/refs: branches and tags."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import referencing
from models_hub.api.pages import HubView
from models_hub.api.shapes import RefShape, RefsShape
from models_hub.models import DEFAULT_BRANCH
from portal.api.idempotency import once


class NewRefInput(serializers.Serializer[None]):
    """A branch or a tag that is to be, at a revision."""

    name = serializers.CharField(max_length=referencing.MAX_NAME)
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)


class NewTagInput(NewRefInput):
    """A tag that is to be, with a message."""

    message = serializers.CharField(max_length=referencing.MAX_MESSAGE, default="", allow_blank=True)


class Refs(HubView):
    @extend_schema(responses=RefsShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List branches and tags."""
        repo = self.repo(request, kind, namespace, name)
        return Response(RefsShape({"branches": referencing.branches(repo), "tags": referencing.tags(repo)}).data)


class Branches(HubView):
    @extend_schema(request=NewRefInput, responses={201: RefShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Begin a branch."""
        repo = self.writable(request, kind, namespace, name)
        sent = NewRefInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        made = referencing.create_branch(repo, by=request.user, name=values["name"], start=values["revision"])
        return Response(RefShape(made).data, status=201)


class OneBranch(HubView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str, ref: str) -> Response:
        """Remove a branch; its commits stay reachable by their ids."""
        referencing.delete_branch(self.writable(request, kind, namespace, name), by=request.user, name=ref)
        return Response(status=204)


class Tags(HubView):
    @extend_schema(request=NewTagInput, responses={201: RefShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Give a revision a lasting name."""
        repo = self.writable(request, kind, namespace, name)
        sent = NewTagInput(data=request.data)
        sent.is_valid(raise_exception=True)
        made = referencing.create_tag(repo, by=request.user, **sent.validated_data)
        return Response(RefShape(made).data, status=201)


class OneTag(HubView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str, ref: str) -> Response:
        """Remove a tag."""
        referencing.delete_tag(self.writable(request, kind, namespace, name), by=request.user, name=ref)
        return Response(status=204)
