"""Background jobs as people see them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal import waiting
from portal.authentication import require_user
from portal.errors import Conflict, NotAllowed
from portal.models import Job, JobLine, User, WorkerNode

PAGE = 30
TAIL = 200  # lines of the log that the page shows; the API has all of them
RESULT_PAGES = {"evaluation": "/evaluations/%d"}  # what a result names -> the page that shows it
STOP_POLLING = 286  # htmx's word for “nothing more will come”


def _load(user: User, job_id: int) -> Job:
    return get_object_or_404(Job.objects.visible_to(user).select_related("owner"), pk=job_id)


def _close(row: Job, user: User) -> None:
    """Take away what names a repository from those who may watch the job and not read it."""
    if not row.is_open_to(user):
        row.title, row.result, row.message, row.message_data, row.reason_data = "", {}, "", {}, {}


@never_cache
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """One's own jobs, newest first; for staff everybody's without what they are about, and the workers online."""
    user, everybody = require_user(request), "all" in request.GET
    if everybody and not user.is_staff:
        raise NotAllowed(_("Only moderators may see everybody's jobs."))
    rows = Job.objects.all() if everybody else Job.objects.visible_to(user).filter(owner=user)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows.select_related("owner").order_by("-id")[: PAGE + 1])
    for row in page:
        _close(row, user)
    context = {
        "jobs": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "is_newest": not before,
        "everybody": everybody,
        "workers": WorkerNode.objects.online().order_by("name") if everybody else [],
    }
    return render(request, "portal/jobs/list.html", context)


@never_cache
@vary_on_headers("HX-Request")
@require_safe
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """A job and how it goes. htmx gets the part that changes, and is told to stop when nothing will."""
    user = require_user(request)
    row = _load(user, job_id)
    _close(row, user)
    lines = JobLine.objects.filter(job=row).order_by("-id") if row.is_open_to(user) else JobLine.objects.none()
    context = {
        "job": row,
        "explanation": waiting.explanation(row) if row.is_open_to(user) or not row.is_finished else "",
        "lines": list(reversed(lines[:TAIL])),
        "tail": TAIL,
        "result_url": _result_url(row),
        "subject_url": _subject_url(row) if row.is_open_to(user) else "",
        "waited": row.started_at and row.started_at - row.created_at,
        "ran": row.started_at and (row.finished_at or timezone.now()) - row.started_at,
    }
    if request.headers.get("HX-Request") != "true":
        return render(request, "portal/jobs/job.html", context)
    status = STOP_POLLING if row.is_finished else 200
    return render(request, "portal/jobs/job.html#state", context, status=status)


def _result_url(row: Job) -> str:
    """Where the result of a job stands, "" while there is none."""
    for name, page in RESULT_PAGES.items():
        if isinstance(key := row.result.get(name), int):
            return page % key
    path = row.result.get("page")  # of what a job has made
    return path if isinstance(path, str) and path.startswith("/") else ""


def _subject_url(row: Job) -> str:
    """Where that stands for which a job works, such as the run that can be tried again; "" where it names none."""
    path = row.spec.get("url")
    return path if isinstance(path, str) and path.startswith("/") and not path.startswith("//") else ""


@require_POST
def precedence(request: HttpRequest, job_id: int) -> HttpResponse:
    """Let one's waiting job start before one's others."""
    user = require_user(request)
    row = _load(user, job_id)
    if row.owner_id != user.pk:
        raise NotAllowed(_("Only its owner may put a job before the owner's others."))
    row.put_first(by=user)
    return redirect("job", job_id=row.pk)


@require_POST
def raising(request: HttpRequest, job_id: int) -> HttpResponse:
    """Staff let a waiting job start before what everybody waits for, or put it back in line."""
    user = require_user(request)
    row = _load(user, job_id)
    if not user.is_staff:
        raise NotAllowed(_("Only staff may let a job start before those of others."))
    row.raise_above_others(by=user, raised=request.POST.get("raised") == "1")
    return redirect("job", job_id=row.pk)


@require_POST
def cancellation(request: HttpRequest, job_id: int) -> HttpResponse:
    """Stop a job; goes back to what it is for where that is asked."""
    user = require_user(request)
    row = _load(user, job_id)
    try:
        row.cancel(by=user)
        messages.success(request, _("The job is being stopped.") if not row.is_finished else _("The job is cancelled."))
    except Conflict as error:
        messages.error(request, error.message)
    if "subject" in request.POST and (path := _subject_url(row)):
        return redirect(path)
    return redirect("job", job_id=row.pk)
