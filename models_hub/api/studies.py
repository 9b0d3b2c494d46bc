"""/api/v1/studies: searches for good options, whose trials are runs."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub.adapting import ending, studies, wishes
from models_hub.api.run_shapes import RunInput, RunShape, shape_context
from models_hub.models import Study
from portal.api.idempotency import once
from portal.api.inputs import StrictInput
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE
from portal.authentication import require_user
from portal.errors import InvalidInput
from portal.models import User


class StudyInput(StrictInput):
    """A search: what every trial shares, over which options, and how."""

    wish = RunInput()
    space = serializers.DictField(
        default=dict, help_text="{option: {type, low, high, log, choices}}; empty for what is usually worth searching."
    )
    plan = serializers.DictField(default=dict, help_text="trials, parallel, sampler, pruner, seed")


class StudyShape(serializers.ModelSerializer[Study]):
    """A search with its best trial so far."""

    url = serializers.CharField(source="get_absolute_url")
    trials = serializers.SerializerMethodField(help_text="How many were asked for so far.")
    best = serializers.SerializerMethodField(help_text="The best finished trial.")

    class Meta:
        model = Study
        fields = (
            "id", "title", "url", "state", "reason", "space", "plan", "importances", "trials", "best", "created_at",
            "finished_at",
        )  # fmt: skip

    def get_trials(self, study: Study) -> int:
        return study.runs.count()

    def get_best(self, study: Study) -> dict[str, Any] | None:
        best = studies.best_of(study)
        if best is None:
            return None
        reader = self.context["reader"]
        shown = RunShape(best, context=shape_context([best], reader))
        return {**shown.data, "params": best.options.get("params", {})}


class Studies(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(StudyShape))
    def get(self, request: Request) -> Response:
        """List your searches, newest first."""
        rows = Study.objects.visible_to(require_user(request))
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(StudyShape(page, many=True, context={"reader": request.user}).data)

    @extend_schema(request=StudyInput, responses={201: StudyShape})
    @once
    def post(self, request: Request) -> Response:
        """Begin a search."""
        sent = StudyInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        wish = wishes.read(values["wish"])
        space = values["space"] or studies.usual_space(wish)
        study = studies.ask(wish, space, values["plan"], by=request.user)
        return Response(StudyShape(study, context={"reader": request.user}).data, status=201)


class OneStudy(APIView):
    @extend_schema(responses=StudyShape)
    def get(self, request: Request, study_id: int) -> Response:
        """Read a search; its trials are `GET /api/v1/runs?study=…`."""
        return Response(StudyShape(_own(request, study_id)[0], context={"reader": request.user}).data)


class Stop(APIView):
    @extend_schema(request=None, responses=StudyShape)
    @once
    def post(self, request: Request, study_id: int) -> Response:
        """Ask for no further trials and cancel those that wait or run."""
        study, user = _own(request, study_id)
        studies.stop(study, by=user)
        study.refresh_from_db()
        return Response(StudyShape(study, context={"reader": user}).data)


class BestPublication(APIView):
    @extend_schema(request=None, responses={202: RunShape})
    @once
    def post(self, request: Request, study_id: int) -> Response:
        """Make a version of the model of the best trial; a job does."""
        study, user = _own(request, study_id)
        best = studies.best_of(study)
        if best is None:
            raise InvalidInput(_("No trial has a score yet."), code="no_trial")
        ending.publish_trial(best)
        best.refresh_from_db()
        return Response(RunShape(best, context=shape_context([best], user)).data, status=202)


def _own(request: Request, study_id: int) -> tuple[Study, User]:
    user = require_user(request)
    return get_object_or_404(Study.objects.visible_to(user).select_related("owner"), pk=study_id), user
