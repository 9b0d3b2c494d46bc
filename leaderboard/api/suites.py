"""/api/v1/suites and their proposals."""

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import permissions, reviewing, suites
from leaderboard.api.inputs import DecisionInput, SubmissionInput, SuiteEndInput, SuiteInput, find_repo
from leaderboard.api.shapes import BatchShape, SuiteShape
from leaderboard.models import Benchmark, Suite, SuiteQuerySet
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import NotFound, SignInRequired
from portal.waiting import Outlook

SUITES = paged(SuiteShape)
VERSION = query("version", int, "an older version; without it the newest")


class Suites(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=SUITES)
    def get(self, request: Request) -> Response:
        """List the newest version of every approved suite."""
        return _page(self, request, Suite.objects.current())

    @extend_schema(request=SuiteInput, responses={201: SuiteShape})
    @once
    def post(self, request: Request) -> Response:
        """Propose a suite, or another version of yours; what staff propose is approved at once."""
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
    @extend_schema(parameters=[VERSION], responses=SuiteShape)
    def get(self, request: Request, slug: str) -> Response:
        """Read one suite."""
        return Response(SuiteShape(suite_of(request, slug)).data)

    @extend_schema(request=SuiteEndInput, responses=SuiteShape)
    def patch(self, request: Request, slug: str) -> Response:
        """Set when a suite ends, null for one that stays open; for staff."""
        suite = suite_of(request, slug)
        sent = SuiteEndInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(SuiteShape(suites.set_end(suite, by=request.user, **sent.validated_data)).data)


class Submissions(APIView):
    @extend_schema(request=SubmissionInput, responses=BatchShape)
    @once
    def post(self, request: Request, slug: str) -> Response:
        """Ask for the scores of all benchmarks of a suite for a model; 409 when the suite has ended."""
        suite = suite_of(request, slug)
        sent = SubmissionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        model = find_repo(request.user, sent.validated_data["model"], Repo.Kind.MODEL)
        answers = suites.submit(suite, model, by=request.user, revision=sent.validated_data["revision"])
        return Response(BatchShape({"results": answers}, context={"outlook": Outlook()}).data)


class Proposals(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=SUITES)
    def get(self, request: Request) -> Response:
        """List your proposals that are not approved, newest first; staff see everybody’s that wait."""
        if not request.user.is_authenticated:
            raise SignInRequired(_("Sign in first."))
        wanted = Q(proposed_by_id=request.user.pk)
        if permissions.can_review(request.user):
            wanted |= Q(standing="proposed")
        return _page(self, request, Suite.objects.visible_to(request.user).filter(wanted).exclude(standing="approved"))


class OneProposal(APIView):
    @extend_schema(responses=SuiteShape)
    def get(self, request: Request, suite_id: int) -> Response:
        """Read one proposal: yours, or any for staff."""
        return Response(SuiteShape(_proposal(request, suite_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, suite_id: int) -> Response:
        """Take your proposal back."""
        suites.withdraw(_proposal(request, suite_id), by=request.user)
        return Response(status=204)


class ProposalDecision(APIView):
    @extend_schema(request=DecisionInput, responses=SuiteShape)
    @once
    def post(self, request: Request, suite_id: int) -> Response:
        """Approve a suite, or refuse it and say why; for staff."""
        suite = _proposal(request, suite_id)
        sent = DecisionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        if sent.validated_data["approve"]:
            row = reviewing.approve_suite(suite, by=request.user)
        else:
            row = reviewing.refuse_suite(suite, by=request.user, reason=sent.validated_data["reason"])
        return Response(SuiteShape(row).data)


def _page(view: APIView, request: Request, rows: SuiteQuerySet) -> Response:
    pages = NewestFirst()
    shown = rows.select_related("proposed_by").prefetch_related("entries__benchmark__dataset")
    page = pages.paginate_queryset(shown, request, view=view) or []
    return pages.get_paginated_response(SuiteShape(page, many=True).data)


def suite_of(request: Request, slug: str) -> Suite:
    """Return the newest approved version of a suite, or the one that the request names."""
    rows = Suite.objects.current()
    number = request.query_params.get("version", "")
    if number.isdecimal() and len(number) < 9:
        rows = Suite.objects.approved().filter(version=int(number))
    return _whole(rows.filter(slug=slug))


def _proposal(request: Request, suite_id: int) -> Suite:
    return _whole(Suite.objects.visible_to(request.user).filter(pk=suite_id))


def _whole(rows: SuiteQuerySet) -> Suite:
    found: Any = rows.select_related("proposed_by").prefetch_related("entries__benchmark__dataset__namespace")
    suite: Suite = get_object_or_404(found)
    return suite
