"""/api/v1/benchmarks and /api/v1/suites."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import benchmarks, suites
from leaderboard.api.inputs import BenchmarkInput, SuiteInput, find_repo
from leaderboard.api.shapes import BenchmarkShape, BoardShape, SuiteShape
from leaderboard.models import Benchmark, Suite
from leaderboard.ranking import board_of
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import NotFound


class Benchmarks(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=[*PAGE, query("dataset", str, "owner/name")], responses=paged(BenchmarkShape))
    def get(self, request: Request) -> Response:
        """List the benchmarks that you may see, newest first."""
        rows = Benchmark.objects.visible_to(request.user).select_related("dataset__namespace")
        if name := request.query_params.get("dataset"):
            rows = rows.filter(dataset=find_repo(request.user, name, Repo.Kind.DATASET))
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


class Suites(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(SuiteShape))
    def get(self, request: Request) -> Response:
        """List all suites."""
        rows = Suite.objects.prefetch_related("entries__benchmark__dataset")
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(SuiteShape(page, many=True).data)

    @extend_schema(request=SuiteInput, responses={201: SuiteShape})
    @once
    def post(self, request: Request) -> Response:
        """Make a suite; for staff."""
        sent = SuiteInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = dict(sent.validated_data)
        weights = {entry["id"]: entry["weight"] for entry in values["benchmarks"]}
        found = Benchmark.objects.visible_to(request.user).select_related("dataset").in_bulk(list(weights))
        if missing := set(weights) - set(found):
            raise NotFound(_("There is no benchmark %(id)d.") % {"id": min(missing)}, code="benchmark_not_found")
        values["benchmarks"] = [(found[entry["id"]], entry["weight"]) for entry in values["benchmarks"]]
        return Response(SuiteShape(suites.create_suite(by=request.user, **values)).data, status=201)


class OneSuite(APIView):
    @extend_schema(responses=SuiteShape)
    def get(self, request: Request, slug: str) -> Response:
        """Read one suite."""
        rows = Suite.objects.prefetch_related("entries__benchmark__dataset")
        return Response(SuiteShape(get_object_or_404(rows, slug=slug)).data)


class Leaderboard(APIView):
    @extend_schema(responses=BoardShape)
    def get(self, request: Request, slug: str) -> Response:
        """Read the board of a suite: public models only, those that lack a score apart."""
        rows = Suite.objects.prefetch_related("entries__benchmark__dataset")
        return Response(BoardShape(board_of(get_object_or_404(rows, slug=slug))).data)
