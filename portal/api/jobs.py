"""/api/v1/jobs: a person's background jobs, their logs, and the wish to stop one."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.api.shapes import LogShape, OwnJobShape
from portal.errors import InvalidInput, NotAllowed, SignInRequired
from portal.models import Job, JobQuerySet, User
from portal.waiting import Outlook

MAX_LINES = 500


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise SignInRequired(_("Sign in to see your jobs."))
    return request.user


def _visible(request: Request) -> JobQuerySet:
    return Job.objects.visible_to(_user(request)).select_related("owner")


class Jobs(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=[*PAGE, query("state"), query("kind")], responses=paged(OwnJobShape))
    def get(self, request: Request) -> Response:
        """List your jobs, newest first."""
        rows = _visible(request)
        for name in ("state", "kind"):
            if value := request.query_params.get(name):
                rows = rows.filter(**{name: value})
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        context = {"outlook": Outlook(), "reader": request.user}
        return pages.get_paginated_response(OwnJobShape(page, many=True, context=context).data)


class OneJob(APIView):
    @extend_schema(responses=OwnJobShape)
    def get(self, request: Request, job_id: int) -> Response:
        """Read one job with the reason why it waits or ended."""
        return Response(
            OwnJobShape(get_object_or_404(_visible(request), pk=job_id), context={"reader": request.user}).data
        )


class Cancellation(APIView):
    @extend_schema(request=None, responses={202: OwnJobShape})
    def post(self, request: Request, job_id: int) -> Response:
        """Cancel a queued job at once, or ask a running one to stop."""
        job = get_object_or_404(_visible(request), pk=job_id)
        job.cancel(by=_user(request))
        return Response(OwnJobShape(job, context={"reader": request.user}).data, status=202)


class Log(APIView):
    @extend_schema(parameters=[query("after", int, "The seq of the last line that you have.")], responses=LogShape)
    def get(self, request: Request, job_id: int) -> Response:
        """Read lines of the log, at most 500 at a time."""
        job = get_object_or_404(_visible(request), pk=job_id)
        if not job.is_open_to(_user(request)):
            raise NotAllowed(_("Only its owner may read the log of a job."))
        lines = list(job.lines.filter(pk__gt=_seq(request.query_params.get("after", "0"))).order_by("pk")[:MAX_LINES])
        return Response(LogShape({"lines": lines, "is_finished": job.is_finished}).data)


def _seq(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidInput(_("“after” must be the seq of a line, a whole number."))
    return int(value)
