"""/api/v1/evaluations/<id>/reproductions and /card."""

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import reproducing
from leaderboard.api.inputs import find_evaluation
from leaderboard.api.reproduction_shapes import ReproductionShape
from leaderboard.result_cards import card_of
from portal.api.idempotency import once
from portal.errors import NotFound


class Reproductions(APIView):
    @extend_schema(responses=ReproductionShape(many=True))
    def get(self, request: Request, evaluation_id: int) -> Response:
        """List the further runs of an evaluation, newest first."""
        evaluation = find_evaluation(request.user, evaluation_id)
        return Response(ReproductionShape(reproducing.runs_of(evaluation), many=True).data)

    @extend_schema(request=None, responses={201: ReproductionShape})
    @once
    def post(self, request: Request, evaluation_id: int) -> Response:
        """Run a finished evaluation once more; the score stays as it is, whatever that finds."""
        run = reproducing.reproduce(find_evaluation(request.user, evaluation_id), by=request.user)
        return Response(ReproductionShape(run).data, status=201)


class ResultCard(APIView):
    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def get(self, request: Request, evaluation_id: int) -> Response:
        """Download the result card: what was measured, on what, how and with which command."""
        evaluation = find_evaluation(request.user, evaluation_id)
        if not evaluation.is_finished:
            raise NotFound(_("This evaluation is not finished, so it has no result card yet."), code="not_finished")
        root = request.build_absolute_uri("/").rstrip("/")
        name = f"evaluation-{evaluation_id}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
        return Response(card_of(evaluation, endpoint=root), headers=headers)
