"""/api/v1/imported-results: what other boards publish of models here."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import elsewhere
from leaderboard.api.inputs import find_repo
from leaderboard.models import ImportedResult, Suite
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import NotFound


class ImportedResultShape(serializers.ModelSerializer[ImportedResult]):
    """A number of another board with the address where it stands; nobody computed it here, and nothing ranks it."""

    model = serializers.CharField(source="model.full_name")
    beside = serializers.CharField(source="suite.slug", allow_null=True, default=None)
    is_verified_here = serializers.SerializerMethodField(help_text="Always false.")

    def get_is_verified_here(self, result: ImportedResult) -> bool:
        return False

    class Meta:
        model = ImportedResult
        fields = (
            "id", "model", "board", "url", "task", "metric", "value", "date", "beside", "is_verified_here",
            "created_at",
        )  # fmt: skip


class OneResultInput(serializers.Serializer[None]):
    board = serializers.CharField()
    url = serializers.CharField()
    task = serializers.CharField()
    metric = serializers.CharField()
    value = serializers.FloatField()
    date = serializers.CharField(required=False, allow_null=True, default="", allow_blank=True)


class ImportedResultsInput(serializers.Serializer[None]):
    model = serializers.CharField(max_length=200)
    beside = serializers.CharField(max_length=60, default="", allow_blank=True, help_text="The slug of a board.")
    results = serializers.ListField(child=OneResultInput(), min_length=1, max_length=elsewhere.MAX_ROWS)


class KeptShape(serializers.Serializer[Any]):
    """How many results were kept."""

    kept = serializers.IntegerField()


class ImportedResults(APIView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=[*PAGE, query("model", str, "owner/name"), query("beside", str, "the slug of a board")],
        responses=paged(ImportedResultShape),
    )
    def get(self, request: Request) -> Response:
        """List results of other boards, newest first."""
        rows = ImportedResult.objects.visible_to(request.user).select_related("model__namespace", "suite")
        if name := request.query_params.get("model"):
            rows = rows.filter(model=find_repo(request.user, name, Repo.Kind.MODEL))
        if slug := request.query_params.get("beside"):
            rows = rows.filter(suite__slug=slug[:60])
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(ImportedResultShape(page, many=True).data)

    @extend_schema(request=ImportedResultsInput, responses={201: KeptShape})
    @once
    def post(self, request: Request) -> Response:
        """Add results to a model that you may write to; those with the same address, task and metric are replaced."""
        sent = ImportedResultsInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        model = find_repo(request.user, values["model"], Repo.Kind.MODEL)
        results = [elsewhere.found_of(one) for one in values["results"]]
        suite = _suite(values["beside"]) if values["beside"] else None
        kept = elsewhere.enter(model, results, by=request.user, suite=suite)
        return Response(KeptShape({"kept": kept}).data, status=201)


class OneImportedResult(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, result_id: int) -> Response:
        """Take a result away."""
        rows = ImportedResult.objects.visible_to(request.user).select_related("model__namespace")
        elsewhere.remove(get_object_or_404(rows, pk=result_id), by=request.user)
        return Response(status=204)


def _suite(slug: str) -> Suite:
    found = Suite.objects.current().filter(slug=slug).first()
    if found is None:
        raise NotFound(_("There is no board “%(name)s”.") % {"name": slug}, code="suite_not_found")
    return found
