"""/api/v1/queues: rows that people label, chosen by a model, and what they said."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub.adapting import annotating, queues
from models_hub.adapting.queues import QueueWish
from models_hub.api.queue_shapes import (
    AnnotationInput,
    AnnotationShape,
    HandedShape,
    HelpersInput,
    PositionInput,
    QueueInput,
    QueueShape,
    WholeQueueShape,
    WritingInput,
)
from models_hub.models import Annotation, AnnotationQueue
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE
from portal.authentication import require_user
from portal.errors import Conflict
from portal.models import User


class Queues(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(QueueShape))
    def get(self, request: Request) -> Response:
        """List your queues and those that you help with, newest first."""
        user = require_user(request)
        pages = NewestFirst()
        page = pages.paginate_queryset(AnnotationQueue.objects.visible_to(user).shown(), request, view=self) or []
        return pages.get_paginated_response(QueueShape(page, many=True, context={"reader": user}).data)

    @extend_schema(request=QueueInput, responses={201: WholeQueueShape})
    @once
    def post(self, request: Request) -> Response:
        """Have rows chosen that are worth labelling; a worker does."""
        sent = QueueInput(data=request.data)
        sent.is_valid(raise_exception=True)
        queue = queues.ask(QueueWish(**sent.validated_data), by=request.user)
        return Response(WholeQueueShape(queue, context={"reader": request.user}).data, status=201)


class OneQueue(APIView):
    @extend_schema(responses=WholeQueueShape)
    def get(self, request: Request, queue_id: int) -> Response:
        """Read a queue and how far it is."""
        queue, user = _found(request, queue_id)
        return Response(WholeQueueShape(queue, context={"reader": user}).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, queue_id: int) -> Response:
        """Remove a queue with its answers; what was written into the data set stays there."""
        queues.own(queue_id, require_user(request)).delete()
        return Response(status=204)


class People(APIView):
    @extend_schema(request=HelpersInput, responses=WholeQueueShape)
    @once
    def post(self, request: Request, queue_id: int) -> Response:
        """Name those who help with a queue; who is not named helps no more."""
        user = require_user(request)
        queue = queues.own(queue_id, user)
        sent = HelpersInput(data=request.data)
        sent.is_valid(raise_exception=True)
        queues.share(queue, sent.validated_data["people"])
        return Response(WholeQueueShape(queue, context={"reader": user}).data)


class Next(APIView):
    @extend_schema(request=None, responses=HandedShape)
    @once
    def post(self, request: Request, queue_id: int) -> Response:
        """Be handed the next row: it is yours for ten minutes, and the same until you answer it."""
        queue, user = _filled(request, queue_id)
        return Response(HandedShape({"row": annotating.take(queue, by=user)}).data)


class Guess(APIView):
    @extend_schema(request=PositionInput, responses=HandedShape)
    @once
    def post(self, request: Request, queue_id: int) -> Response:
        """See what the model says of the row that is yours, before you answer; it is noted with the answer."""
        queue, user = _filled(request, queue_id)
        sent = PositionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(HandedShape({"row": annotating.reveal(queue, sent.validated_data["row"], by=user)}).data)


class Answers(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(AnnotationShape))
    def get(self, request: Request, queue_id: int) -> Response:
        """List the answers, newest first: of all people for the owner, of yourself if you help."""
        queue, user = _found(request, queue_id)
        rows = Annotation.objects.filter(queue=queue).select_related("row", "by")
        rows = rows if queue.owner_id == user.pk else rows.filter(by=user)
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(AnnotationShape(page, many=True).data)

    @extend_schema(request=AnnotationInput, responses={201: AnnotationShape})
    @once
    def post(self, request: Request, queue_id: int) -> Response:
        """Answer a row, or change your answer to it."""
        queue, user = _filled(request, queue_id)
        sent = AnnotationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        given = annotating.answer(queue, sent.validated_data["row"], sent.validated_data["value"], by=user)
        return Response(AnnotationShape(given).data, status=201)


class LastAnswer(APIView):
    @extend_schema(responses=HandedShape)
    def delete(self, request: Request, queue_id: int) -> Response:
        """Take your last answer back; its row is yours again."""
        queue, user = _filled(request, queue_id)
        return Response(HandedShape({"row": annotating.undo(queue, by=user)}).data)


class Decisions(APIView):
    @extend_schema(request=AnnotationInput, responses=WholeQueueShape)
    @once
    def post(self, request: Request, queue_id: int) -> Response:
        """Say what is right of a row that people disagree about."""
        user = require_user(request)
        queue = queues.own(queue_id, user)
        sent = AnnotationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        annotating.decide(queue, sent.validated_data["row"], sent.validated_data["value"])
        return Response(WholeQueueShape(queue, context={"reader": user}).data)


class Writing(APIView):
    @extend_schema(request=WritingInput, responses={202: WholeQueueShape})
    @once
    def post(self, request: Request, queue_id: int) -> Response:
        """Have what is settled written into the data set, as a commit or a pull request; a job does."""
        user = require_user(request)
        queue = queues.own(queue_id, user)
        sent = WritingInput(data=request.data)
        sent.is_valid(raise_exception=True)
        queues.write(queue, by=user, as_pull=sent.validated_data["pull_request"])
        return Response(WholeQueueShape(queue, context={"reader": user}).data, status=202)


def _found(request: Request, queue_id: int) -> tuple[AnnotationQueue, User]:
    user = require_user(request)
    return queues.find(queue_id, user), user


def _filled(request: Request, queue_id: int) -> tuple[AnnotationQueue, User]:
    queue, user = _found(request, queue_id)
    if queue.filled_at is None:
        raise Conflict(_("A worker has not chosen the rows yet."), code="not_filled")
    return queue, user
