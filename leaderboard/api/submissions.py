"""/api/v1/submissions: what you asked to have measured, and asking for much at once."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import allowance, bulk, submissions
from leaderboard.api.evaluations import EVALUATIONS
from leaderboard.api.inputs import BIGGEST_ID, find_benchmark, find_repo
from leaderboard.api.shapes import BatchShape, EvaluationShape
from leaderboard.bulk import MAX_PAIRS
from leaderboard.models import Benchmark, Evaluation, Suite
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst
from portal.api.schema import PAGE, query
from portal.errors import InvalidInput, NotFound, SignInRequired
from portal.models import Asker, User
from portal.waiting import Outlook


class SubmissionsInput(serializers.Serializer[None]):
    models = serializers.ListField(child=serializers.CharField(max_length=200), min_length=1, max_length=MAX_PAIRS)
    board = serializers.SlugField(max_length=60, required=False, help_text="All benchmarks of a board.")
    benchmarks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID), required=False, max_length=MAX_PAIRS
    )
    revision = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)


class AllowanceShape(serializers.Serializer[Any]):
    """What you may ask for; a limit of 0 is none."""

    limit = serializers.IntegerField()
    completed = serializers.IntegerField()
    unfinished = serializers.IntegerField()
    left = serializers.IntegerField()


class Submissions(APIView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=[*PAGE, query("state", str, f"one of: {', '.join(submissions.STATES)}")],
        responses=EVALUATIONS,
    )
    def get(self, request: Request) -> Response:
        """List what you asked to have measured, newest first, with where each waits or why it ended."""
        state = request.query_params.get("state", "")
        if state and state not in submissions.STATES:
            raise InvalidInput(_("“%(value)s” is no state.") % {"value": state[:60]}, data={"key": "state"})
        rows = submissions.of(_person(request.user)).latest()
        rows = rows.filter(submissions.STATES[state]) if state else rows
        pages = NewestFirst()
        page: list[Evaluation] = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(EvaluationShape(page, many=True, context={"outlook": Outlook()}).data)

    @extend_schema(request=SubmissionsInput, responses=BatchShape)
    @once
    def post(self, request: Request) -> Response:
        """Ask for each model on a board and on benchmarks; one that is refused holds up no other."""
        sent = SubmissionsInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        _person(request.user)
        models = [find_repo(request.user, name, Repo.Kind.MODEL, Repo.Kind.DATASET) for name in values["models"]]
        benchmarks = _benchmarks(request.user, values)
        if len(models) * len(benchmarks) > MAX_PAIRS:
            raise InvalidInput(_("At most %(max)d pairs may be asked for at once.") % {"max": MAX_PAIRS})
        answers = bulk.submit_all(models, benchmarks, by=request.user, revision=values["revision"])
        return Response(BatchShape({"results": answers}, context={"outlook": Outlook()}).data)


class OwnAllowance(APIView):
    @extend_schema(responses=AllowanceShape)
    def get(self, request: Request) -> Response:
        """Read how many evaluations you may still ask for in 24 hours."""
        return Response(AllowanceShape(allowance.of(_person(request.user))).data)


def _person(user: Asker) -> User:
    if not isinstance(user, User):
        raise SignInRequired(_("Sign in first."))
    return user


def _benchmarks(user: Asker, values: dict[str, Any]) -> list[Benchmark]:
    found = {number: find_benchmark(user, number) for number in values.get("benchmarks", [])}
    if slug := values.get("board"):
        suite = Suite.objects.current().prefetch_related("entries__benchmark__dataset__namespace").filter(slug=slug)
        board = suite.first()
        if board is None:
            raise NotFound(_("There is no board “%(slug)s”.") % {"slug": slug}, code="board_not_found")
        found |= {entry.benchmark_id: entry.benchmark for entry in board.public_entries}
    if not found:
        raise InvalidInput(_("Choose a board, or at least one benchmark."), data={"key": "benchmarks"})
    return list(found.values())
