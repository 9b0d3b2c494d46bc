"""/api/v1/imports: copy a repository of another hub here, as a job."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub import importing
from models_hub.upstream.hub import allowed_hubs
from portal.api.shapes import own_job_shape
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


class Imports(APIView):
    """GET: the hubs that may be imported from. POST: import; asked again after a failure, it goes on."""

    def get(self, request: Request) -> Response:
        return Response({"hubs": allowed_hubs()})

    def post(self, request: Request) -> Response:
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
        assert origin.job is not None
        answer = {"repo": origin.repo.full_name, "kind": origin.repo.kind, "job": own_job_shape(origin.job)}
        return Response(answer, status=202)
