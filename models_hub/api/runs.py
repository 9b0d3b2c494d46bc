"""/api/v1/runs: models that workers make, their curves, and what may be asked for."""

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub.adapting import asking, converting, ending, following, registry, seeing, wishes
from models_hub.api.run_shapes import (
    ConversionInput,
    PointsShape,
    PublicationInput,
    RunInput,
    RunShape,
    WholeRunShape,
    shape_context,
)
from models_hub.models import Run
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.authentication import require_user
from portal.errors import InvalidInput, NotAllowed


class Runs(APIView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=[*PAGE, query("kind", str, "finetune, compress or export"), query("study", int)],
        responses=paged(RunShape),
    )
    def get(self, request: Request) -> Response:
        """List your runs, newest first."""
        user = require_user(request)
        rows = Run.objects.of_owner(user).shown()
        if kind := request.query_params.get("kind"):
            rows = rows.filter(kind=kind)
        if study := request.query_params.get("study"):
            rows = rows.filter(study_id=_number(study, "study"))
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(RunShape(page, many=True, context=_context(page, request)).data)

    @extend_schema(request=RunInput, responses={201: WholeRunShape})
    @once
    def post(self, request: Request) -> Response:
        """Ask for a fine-tuning run."""
        sent = RunInput(data=request.data)
        sent.is_valid(raise_exception=True)
        run = asking.ask(wishes.read(sent.validated_data), by=request.user)
        return Response(WholeRunShape(run, context=_context([run], request)).data, status=201)


class Conversions(APIView):
    @extend_schema(request=ConversionInput, responses={201: WholeRunShape})
    @once
    def post(self, request: Request) -> Response:
        """Ask for a model in another format, or a smaller one."""
        sent = ConversionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        run = converting.ask(converting.read(sent.validated_data), by=request.user)
        return Response(WholeRunShape(run, context=_context([run], request)).data, status=201)


class Options(APIView):
    @extend_schema(responses={200: dict})
    def get(self, _request: Request) -> Response:
        """Say which tasks, methods, options and architectures there are, with defaults and bounds."""
        return Response(
            {
                "tasks": {name: _plain(task) for name, task in registry.tasks().items()},
                "methods": {name: _plain(method) for name, method in registry.methods().items()},
                "options": {name: _plain(option) for name, option in registry.options().items()},
                "teaching": {name: _plain(option) for name, option in registry.teaching().items()},
                "hardenings": {
                    kind: {name: _plain(option) for name, option in own.items()}
                    for kind, own in registry.hardenings().items()
                },
                "families": {name: facts["family"] for name, facts in registry.architectures().items()},
                "sizes": {
                    name: {"default": default, "least": least, "most": most}
                    for name, (default, least, most) in wishes.SIZES.items()
                },
                "scratch": {"model_type": wishes.SCRATCH_TYPES, "tokenizer": wishes.TOKENIZERS},
            }
        )


class OneRun(APIView):
    @extend_schema(responses=WholeRunShape)
    def get(self, request: Request, run_id: int) -> Response:
        """Read a run with all that was found."""
        run = seeing.find(run_id, request.user)
        return Response(WholeRunShape(run, context=_context([run], request)).data)


class Points(APIView):
    @extend_schema(parameters=[query("after", int, "The seq of the last record that you have.")], responses=PointsShape)
    def get(self, request: Request, run_id: int) -> Response:
        """Read records of its log, at most 2,000 at a time."""
        run = seeing.find(run_id, request.user)
        last = request.query_params.get("after")
        start = _number(last, "after") + 1 if last else 0
        return Response(PointsShape({"points": following.after(run, start), "is_over": run.is_over}).data)


class Again(APIView):
    @extend_schema(request=None, responses={201: WholeRunShape})
    @once
    def post(self, request: Request, run_id: int) -> Response:
        """Try a failed or cancelled run again; it goes on from its last checkpoint."""
        run = asking.ask_again(_own(run_id, request), by=require_user(request))
        return Response(WholeRunShape(run, context=_context([run], request)).data, status=201)


class Publication(APIView):
    @extend_schema(request=PublicationInput, responses=WholeRunShape)
    @once
    def post(self, request: Request, run_id: int) -> Response:
        """Show the result, a repository of its own, to everybody."""
        run = _own(run_id, request)
        sent = PublicationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        ending.publish(run, with_names=sent.validated_data["names"])
        return Response(WholeRunShape(run, context=_context([run], request)).data)


def _own(run_id: int, request: Request) -> Run:
    run = seeing.find(run_id, request.user)
    if not seeing.own([run], require_user(request)):
        raise NotAllowed(_("Only its owner may do that with a run."))
    return run


def _context(runs: list[Run], request: Request) -> dict[str, Any]:
    return shape_context(runs, request.user)


def _plain(value: Any) -> dict[str, Any]:
    """Return what JSON can hold of a dataclass, without what is empty."""
    found = {key: sorted(part) if isinstance(part, frozenset) else part for key, part in asdict(value).items()}
    return {key: part for key, part in found.items() if part not in (None, "", (), [], {}) and key != "name"}


def _number(value: str, name: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidInput(_("“%(name)s” must be a whole number.") % {"name": name})
    return int(value)
