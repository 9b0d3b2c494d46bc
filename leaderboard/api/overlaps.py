"""/api/v1/benchmarks/<id>/overlaps."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import overlapping
from leaderboard.api.inputs import find_repo
from leaderboard.models import Benchmark, Overlap
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.shapes import JobShape

LISTED = 100


class OverlapInput(serializers.Serializer[None]):
    dataset = serializers.CharField(max_length=200, help_text="owner/name")


class OverlapShape(serializers.ModelSerializer[Overlap]):
    """How many rows of a benchmark were found again in a data set; which ones is told to nobody."""

    dataset = serializers.CharField(source="dataset.full_name")
    commit = serializers.CharField(source="commit_oid")
    job = JobShape(allow_null=True)

    class Meta:
        model = Overlap
        fields = ("id", "dataset", "commit", "tested", "shared", "short", "rows", "is_whole", "finished_at", "job")


class Overlaps(APIView):
    @extend_schema(responses=OverlapShape(many=True))
    def get(self, request: Request, benchmark_id: int) -> Response:
        """List the newest comparisons of a benchmark with data sets that you may see."""
        rows = Overlap.objects.visible_to(request.user).filter(benchmark=_found(request, benchmark_id))
        newest = rows.select_related("dataset__namespace", "job").order_by("-id")[:LISTED]
        return Response(OverlapShape(newest, many=True).data)

    @extend_schema(request=OverlapInput, responses={201: OverlapShape})
    @once
    def post(self, request: Request, benchmark_id: int) -> Response:
        """Ask how many rows of a benchmark are in a data set as it is now."""
        benchmark = _found(request, benchmark_id)
        sent = OverlapInput(data=request.data)
        sent.is_valid(raise_exception=True)
        dataset = find_repo(request.user, sent.validated_data["dataset"], Repo.Kind.DATASET)
        return Response(OverlapShape(overlapping.request(benchmark, dataset, by=request.user)).data, status=201)


def _found(request: Request, benchmark_id: int) -> Benchmark:
    rows = Benchmark.objects.visible_to(request.user).select_related("dataset__namespace")
    return get_object_or_404(rows, pk=benchmark_id)
