"""/api/v1/…/releases: versions with names and notes."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import releasing
from models_hub.api.pages import HubView, address_of, page_answer
from models_hub.api.shapes import VersionShape
from models_hub.landing import MAX_TITLE
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.referencing import MAX_MESSAGE, MAX_NAME
from portal.api.idempotency import once
from portal.api.pagination import paged
from portal.api.schema import query

PAGE = 20


class NotesInput(serializers.Serializer[None]):
    """What a version says; the notes are Markdown."""

    title = serializers.CharField(max_length=MAX_TITLE, default="", allow_blank=True)
    notes = serializers.CharField(max_length=MAX_MESSAGE, default="", allow_blank=True)


class NewReleaseInput(NotesInput):
    """A version that is to be: its tag is made at the revision, unless it is there."""

    tag = serializers.CharField(max_length=MAX_NAME)
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)


class Releases(HubView):
    @extend_schema(parameters=[query("after")], responses=paged(VersionShape))
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List the versions, those of the newest commits first."""
        repo = self.repo(request, kind, namespace, name)
        found, has_more = releasing.versions(repo, after=request.query_params.get("after", ""), limit=PAGE)
        following = address_of(request, {"after": found[-1].cursor}) if has_more else None
        return Response(page_answer(VersionShape(found, many=True).data, following))

    @extend_schema(request=NewReleaseInput, responses={201: VersionShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Publish a version with its notes."""
        repo = self.writable(request, kind, namespace, name)
        sent = NewReleaseInput(data=request.data)
        sent.is_valid(raise_exception=True)
        releasing.publish(repo, by=request.user, **sent.validated_data)
        return Response(_shown(repo, sent.validated_data["tag"]), status=201)


class OneRelease(HubView):
    @extend_schema(responses=VersionShape)
    def get(self, request: Request, kind: str, namespace: str, name: str, tag: str) -> Response:
        """Read one version."""
        return Response(_shown(self.repo(request, kind, namespace, name), tag))

    @extend_schema(request=NotesInput, responses=VersionShape)
    def put(self, request: Request, kind: str, namespace: str, name: str, tag: str) -> Response:
        """Say something else of a version that has notes."""
        repo = self.writable(request, kind, namespace, name)
        sent = NotesInput(data=request.data)
        sent.is_valid(raise_exception=True)
        releasing.edit(releasing.find(repo, tag), by=request.user, **sent.validated_data)
        return Response(_shown(repo, tag))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str, tag: str) -> Response:
        """Take the notes away; the tag stays."""
        releasing.withdraw(releasing.find(self.writable(request, kind, namespace, name), tag), by=request.user)
        return Response(status=204)


def _shown(repo: Repo, tag: str) -> object:
    return VersionShape(releasing.version(repo, tag)).data
