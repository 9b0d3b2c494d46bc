"""/api/v1/benchmarks."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import benchmarks, reviewing
from leaderboard.api.inputs import BenchmarkInput, DecisionInput, find_benchmark, find_repo
from leaderboard.api.shapes import BenchmarkShape
from leaderboard.models import Benchmark
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query


class Benchmarks(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=[*PAGE, query("dataset", str, "owner/name")], responses=paged(BenchmarkShape))
    def get(self, request: Request) -> Response:
        """List the approved benchmarks and your own, newest first; those of a data set whatever their standing."""
        rows = Benchmark.objects.listed_for(request.user)
        if name := request.query_params.get("dataset"):
            dataset = find_repo(request.user, name, Repo.Kind.DATASET)
            rows = Benchmark.objects.visible_to(request.user).filter(dataset=dataset)
        rows = rows.select_related("dataset__namespace")
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(BenchmarkShape(page, many=True).data)

    @extend_schema(request=BenchmarkInput, responses={200: BenchmarkShape, 201: BenchmarkShape})
    @once
    def post(self, request: Request) -> Response:
        """Register the benchmark that a data set defines; 200 when it is registered already."""
        sent = BenchmarkInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        dataset = find_repo(request.user, values["dataset"], Repo.Kind.DATASET, Repo.Kind.MODEL)
        benchmark, is_new = benchmarks.register(
            dataset, by=request.user, revision=values["revision"], path=values["path"]
        )
        return Response(BenchmarkShape(benchmark).data, status=201 if is_new else 200)


class OneBenchmark(APIView):
    @extend_schema(responses=BenchmarkShape)
    def get(self, request: Request, benchmark_id: int) -> Response:
        """Read one version of a benchmark."""
        rows = Benchmark.objects.visible_to(request.user).select_related("dataset__namespace")
        return Response(BenchmarkShape(get_object_or_404(rows, pk=benchmark_id)).data)


class BenchmarkDecision(APIView):
    @extend_schema(request=DecisionInput, responses=BenchmarkShape)
    @once
    def post(self, request: Request, benchmark_id: int) -> Response:
        """Approve a benchmark, or refuse it and say why; for staff."""
        benchmark = find_benchmark(request.user, benchmark_id)
        sent = DecisionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        if sent.validated_data["approve"]:
            row = reviewing.approve_benchmark(benchmark, by=request.user)
        else:
            row = reviewing.refuse_benchmark(benchmark, by=request.user, reason=sent.validated_data["reason"])
        return Response(BenchmarkShape(row).data)
