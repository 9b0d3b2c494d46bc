"""/api/v1/benchmarks and /api/v1/suites."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import benchmarks, suites
from leaderboard.api.inputs import BenchmarkInput, SuiteInput, find_repo
from leaderboard.api.shapes import benchmark_shape, board_shape, suite_shape
from leaderboard.models import Benchmark, Suite
from leaderboard.ranking import board_of
from models_hub.models import Repo
from portal.api.pagination import NewestFirst
from portal.errors import NotFound


class Benchmarks(APIView):
    """GET: benchmarks you may see, newest first; `?dataset=owner/name` narrows them down. POST: register one."""

    def get(self, request: Request) -> Response:
        rows = Benchmark.objects.visible_to(request.user).select_related("dataset__namespace")
        if name := request.query_params.get("dataset"):
            rows = rows.filter(dataset=find_repo(request.user, name, Repo.Kind.DATASET))
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([benchmark_shape(benchmark) for benchmark in page])

    def post(self, request: Request) -> Response:
        sent = BenchmarkInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        dataset = find_repo(request.user, values["dataset"], Repo.Kind.DATASET, Repo.Kind.MODEL)
        benchmark, is_new = benchmarks.register(
            dataset, by=request.user, revision=values["revision"], path=values["path"]
        )
        return Response(benchmark_shape(benchmark), status=201 if is_new else 200)


class OneBenchmark(APIView):
    """GET: one version of a benchmark."""

    def get(self, request: Request, benchmark_id: int) -> Response:
        rows = Benchmark.objects.visible_to(request.user).select_related("dataset__namespace")
        return Response(benchmark_shape(get_object_or_404(rows, pk=benchmark_id)))


class Suites(APIView):
    """GET: all suites. POST (staff): make one."""

    def get(self, request: Request) -> Response:
        rows = Suite.objects.prefetch_related("entries__benchmark__dataset")
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([suite_shape(suite) for suite in page])

    def post(self, request: Request) -> Response:
        sent = SuiteInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = dict(sent.validated_data)
        weights = {entry["id"]: entry["weight"] for entry in values["benchmarks"]}
        found = Benchmark.objects.visible_to(request.user).select_related("dataset").in_bulk(list(weights))
        if missing := set(weights) - set(found):
            raise NotFound(_("There is no benchmark %(id)d.") % {"id": min(missing)}, code="benchmark_not_found")
        values["benchmarks"] = [(found[entry["id"]], entry["weight"]) for entry in values["benchmarks"]]
        return Response(suite_shape(suites.create_suite(by=request.user, **values)), status=201)


class OneSuite(APIView):
    """GET: one suite."""

    def get(self, request: Request, slug: str) -> Response:
        rows = Suite.objects.prefetch_related("entries__benchmark__dataset")
        return Response(suite_shape(get_object_or_404(rows, slug=slug)))


class Leaderboard(APIView):
    """GET: the board of a suite: public models only, those that lack a score apart."""

    def get(self, request: Request, slug: str) -> Response:
        rows = Suite.objects.prefetch_related("entries__benchmark__dataset")
        return Response(board_shape(board_of(get_object_or_404(rows, slug=slug))))
