"""/api/v1/jobs: a person's background jobs, their logs, and the wish to stop one."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.pagination import NewestFirst
from portal.api.shapes import line_shape, own_job_shape
from portal.errors import InvalidInput, SignInRequired
from portal.models import Job, JobQuerySet, User, WorkerNode

MAX_LINES = 500


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise SignInRequired(_("Sign in to see your jobs."))
    return request.user


def _visible(request: Request) -> JobQuerySet:
    return Job.objects.visible_to(_user(request)).select_related("owner")


class Jobs(APIView):
    """GET: your jobs, newest first; `?state=` and `?kind=` narrow them down."""

    def get(self, request: Request) -> Response:
        rows = _visible(request).with_position()
        for name in ("state", "kind"):
            if value := request.query_params.get(name):
                rows = rows.filter(**{name: value})
        pages = NewestFirst()
        served = WorkerNode.queues_served()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([own_job_shape(job, served) for job in page])


class OneJob(APIView):
    """GET: one job with the reason why it waits or ended."""

    def get(self, request: Request, job_id: int) -> Response:
        return Response(own_job_shape(get_object_or_404(_visible(request), pk=job_id)))


class Cancellation(APIView):
    """POST: cancel a queued job at once, or ask a running one to stop."""

    def post(self, request: Request, job_id: int) -> Response:
        job = get_object_or_404(_visible(request), pk=job_id)
        job.cancel(by=_user(request))
        return Response(own_job_shape(job), status=202)


class Log(APIView):
    """GET: lines of the log after `?after=`, the seq of the last line that the caller has."""

    def get(self, request: Request, job_id: int) -> Response:
        job = get_object_or_404(_visible(request), pk=job_id)
        lines = list(job.lines.filter(pk__gt=_seq(request.query_params.get("after", "0"))).order_by("pk")[:MAX_LINES])
        answer: dict[str, Any] = {
            "lines": [line_shape(line) for line in lines],
            "is_finished": job.is_finished,
        }
        return Response(answer)


def _seq(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidInput(_("“after” must be the seq of a line, a whole number."))
    return int(value)
