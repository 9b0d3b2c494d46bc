"""/api/v1/evaluations."""

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import answer_rows, bulk, permissions, submitting
from leaderboard.api.inputs import BatchInput, EvaluationInput, find_benchmark, find_evaluation, find_repo
from leaderboard.api.shapes import BatchShape, EvaluationShape, WholeEvaluationShape
from leaderboard.models import Evaluation
from leaderboard.recipes import recipe_of
from models_hub import contents
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import InvalidInput, NotFound
from portal.waiting import Outlook

EVALUATIONS = paged(EvaluationShape)


class Evaluations(APIView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=[
            *PAGE,
            query("model", str, "owner/name"),
            query("benchmark", int),
            query("contamination", str, "measured, declared, inherited, not_found or unknown"),
        ],
        responses=EVALUATIONS,
    )
    def get(self, request: Request) -> Response:
        """List the evaluations that you may see, newest first."""
        rows = Evaluation.objects.visible_to(request.user).latest()
        if name := request.query_params.get("model"):
            rows = rows.filter(model=find_repo(request.user, name, Repo.Kind.MODEL))
        if level := request.query_params.get("contamination"):
            rows = rows.filter(contamination=level)
        if number := request.query_params.get("benchmark"):
            rows = rows.filter(benchmark_id=_number(number))
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(EvaluationShape(page, many=True, context={"outlook": Outlook()}).data)

    @extend_schema(request=EvaluationInput, responses={200: EvaluationShape, 201: EvaluationShape})
    @once
    def post(self, request: Request) -> Response:
        """Ask for an evaluation; 200 when the same one is there already."""
        sent = EvaluationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        model = find_repo(request.user, values["model"], Repo.Kind.MODEL, Repo.Kind.DATASET)
        benchmark = find_benchmark(request.user, values["benchmark"])
        evaluation, is_new = submitting.submit(model, benchmark, by=request.user, revision=values["revision"])
        return Response(EvaluationShape(evaluation).data, status=201 if is_new else 200)


class Batch(APIView):
    @extend_schema(request=BatchInput, responses=BatchShape)
    @once
    def post(self, request: Request) -> Response:
        """Ask for evaluations of each model on each benchmark; one that is refused holds up no other."""
        sent = BatchInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        answers = bulk.submit_all(
            [find_repo(request.user, name, Repo.Kind.MODEL, Repo.Kind.DATASET) for name in values["models"]],
            [find_benchmark(request.user, number) for number in values["benchmarks"]],
            by=request.user,
            revision=values["revision"],
        )
        return Response(BatchShape({"results": answers}, context={"outlook": Outlook()}).data)


class OneEvaluation(APIView):
    @extend_schema(responses=WholeEvaluationShape)
    def get(self, request: Request, evaluation_id: int) -> Response:
        """Read all that was found, and the recipe that gives the same number again."""
        evaluation = find_evaluation(request.user, evaluation_id)
        answer: dict[str, Any] = dict(WholeEvaluationShape(evaluation).data)
        if evaluation.is_finished:
            root = request.build_absolute_uri("/").rstrip("/")
            answer["predictions"] = _predictions_of(evaluation, root, request)
            answer["recipe"] = recipe_of(evaluation, endpoint=root)
        return Response(answer)


class Predictions(APIView):
    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY})
    def get(self, request: Request, evaluation_id: int) -> HttpResponseBase:
        """Download what the model answered to each example, one JSON object a line."""
        evaluation = find_evaluation(request.user, evaluation_id)
        permissions.require_answers(request.user, evaluation)
        blob = evaluation.predictions
        if blob is None:
            raise NotFound(_("This evaluation is not finished, so it has no predictions yet."), code="not_finished")
        headers = {
            "Content-Length": str(blob.size),
            "Content-Disposition": f'attachment; filename="evaluation-{evaluation_id}.jsonl"',
            "Cache-Control": "private, no-cache",
            "ETag": f'"{blob.sha256}"',
        }
        return StreamingHttpResponse(contents.stream(blob), content_type="application/x-ndjson", headers=headers)


class Rows(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("form", str, OpenApiParameter.PATH, enum=list(answer_rows.FORMATS))],
        responses={(200, form): OpenApiTypes.BINARY for form in ("text/csv", "application/x-ndjson")},
    )
    def get(self, request: Request, evaluation_id: int, form: str) -> HttpResponseBase:
        """Download each answer of a public test with how sure it was, whether it was right, and its numbers."""
        evaluation = find_evaluation(request.user, evaluation_id)
        if form not in answer_rows.FORMATS:
            raise NotFound(_("Rows are given as: %(forms)s.") % {"forms": ", ".join(answer_rows.FORMATS)})
        permissions.require_rows(request.user, evaluation)
        if evaluation.predictions is None:
            raise NotFound(_("This evaluation is not finished, so it has no predictions yet."), code="not_finished")
        headers = {
            "Content-Disposition": f'attachment; filename="evaluation-{evaluation_id}-rows.{form}"',
            "Cache-Control": "private, no-cache",
        }
        rows = answer_rows.lines(evaluation, form)
        return StreamingHttpResponse(rows, content_type=answer_rows.FORMATS[form], headers=headers)


def _predictions_of(evaluation: Evaluation, root: str, request: Request) -> dict[str, Any] | None:
    """Return where the answers are, None for whoever may not read them."""
    if not permissions.can_read_answers(request.user, evaluation):
        return None
    return {
        "url": f"{root}/api/v1/evaluations/{evaluation.pk}/predictions",
        "sha256": evaluation.predictions_sha256,
        "size": evaluation.predictions_size,
    }


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidInput(_("“benchmark” must be the id of a benchmark, a whole number."))
    return int(value)
