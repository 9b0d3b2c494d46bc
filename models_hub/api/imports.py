"""/api/v1/imports: copy a repository of another hub here, as a job."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub import importing
from models_hub.upstream.hub import allowed_hubs
from portal.api.idempotency import once
from portal.api.shapes import OwnJobShape
from portal.names import MAX_NAME


class ImportInput(serializers.Serializer[None]):
    """What is to be imported. Without `name` it keeps the one it has."""

    hub = serializers.CharField(max_length=300)
    repo = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=["model", "dataset"], default="model")
    revisions = serializers.ListField(child=serializers.CharField(max_length=200), default=list, max_length=100)
    namespace = serializers.CharField(max_length=MAX_NAME)
    name = serializers.CharField(max_length=MAX_NAME, default="", allow_blank=True)
    private = serializers.BooleanField(default=False)


class ImportShape(serializers.Serializer[Any]):
    """The repository that will hold the copy, and the job that fills it."""

    repo = serializers.CharField(source="repo.full_name")
    kind = serializers.CharField(source="repo.kind")
    job = OwnJobShape()


class HubsShape(serializers.Serializer[Any]):
    """The hubs that may be imported from."""

    hubs = serializers.ListField(child=serializers.CharField())


class Imports(APIView):
    @extend_schema(responses=HubsShape)
    def get(self, request: Request) -> Response:
        """List the hubs that may be imported from."""
        return Response({"hubs": allowed_hubs()})

    @extend_schema(request=ImportInput, responses={202: ImportShape})
    @once
    def post(self, request: Request) -> Response:
        """Import a repository; asked again after a failure, it goes on."""
        asked = ImportInput(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        origin = importing.request(
            by=request.user,
            kind=values["kind"],
            hub=values["hub"],
            source=values["repo"],
            namespace=values["namespace"],
            name=values["name"],
            private=values["private"],
            revisions=" ".join(values["revisions"]),
        )
        return Response(ImportShape(origin).data, status=202)
