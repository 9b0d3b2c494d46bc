"""Workers and queues: what waits, who works, and how the last day went."""

from collections import Counter
from datetime import timedelta

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal import durations
from portal.authentication import require_user
from portal.errors import NotAllowed
from portal.models import Job, User, WorkerNode

DAY = timedelta(days=1)
MEASURED = 100  # the latest jobs of a queue whose waits are measured
MAX_CODES = 20


@never_cache
@require_safe
def workers(request: HttpRequest) -> HttpResponse:
    """Queues and the last day for everybody who is signed in; the workers themselves for admins."""
    user = require_user(request)
    since = timezone.now() - DAY
    ended = Job.objects.filter(finished_at__gt=since)
    context = {
        "queues": _queues(list(WorkerNode.objects.taking())),
        "kinds": _kinds(since),
        "failures": ended.filter(state=Job.State.FAILED)
        .values("kind", "reason_code")
        .annotate(count=Count("pk"))
        .order_by("-count", "kind", "reason_code")[:MAX_CODES],
        "nodes": _nodes() if user.is_superuser else [],
    }
    return render(request, "portal/jobs/workers.html", context)


@require_POST
def drain(request: HttpRequest, worker_id: int) -> HttpResponse:
    """Let a worker end what it runs and take nothing new."""
    return _drain(request, worker_id, draining=True)


@require_POST
def resumption(request: HttpRequest, worker_id: int) -> HttpResponse:
    """Let a worker take jobs again."""
    return _drain(request, worker_id, draining=False)


def _drain(request: HttpRequest, worker_id: int, *, draining: bool) -> HttpResponse:
    user: User = require_user(request)
    if not user.is_superuser:
        raise NotAllowed(_("Only admins may drain workers."))
    get_object_or_404(WorkerNode, pk=worker_id).drain(by=user, draining=draining)
    return redirect("workers")


def _queues(nodes: list[WorkerNode]) -> list[dict[str, object]]:
    """Return each queue with what waits, runs and serves it, and how long the latest jobs waited."""
    counts: dict[str, Counter[str]] = {}
    rows = Job.objects.unfinished().values_list("queue", "state").annotate(count=Count("pk"))
    for queue, state, count in rows:
        counts.setdefault(queue, Counter())["waiting" if state == Job.State.QUEUED else "running"] += count
    names = sorted({*counts, *(queue for node in nodes for queue in node.queues)})
    return [
        {
            "name": name,
            "waiting": counts.get(name, Counter())["waiting"],
            "running": counts.get(name, Counter())["running"],
            "workers": sum(name in node.queues for node in nodes),
            "slots": sum(node.slots for node in nodes if name in node.queues),
            "wait": _wait(name),
        }
        for name in names
    ]


def _wait(queue: str) -> timedelta | None:
    """Return how long half of the latest jobs of a queue waited at most."""
    rows = Job.objects.filter(queue=queue, started_at__isnull=False, finished_at__gt=timezone.now() - DAY)
    times = rows.order_by("-finished_at").values_list("created_at", "started_at")[:MEASURED]
    span = durations.span_of([(begun - asked).total_seconds() for asked, begun in times if begun])
    return timedelta(seconds=span.middle) if span else None


def _kinds(since: object) -> list[dict[str, object]]:
    """Return how the jobs of each kind ended in the last day, and what one is likely to take."""
    rows = Job.objects.filter(finished_at__gt=since).values_list("kind", "state").annotate(count=Count("pk"))
    counts: dict[str, Counter[str]] = {}
    for kind, state, count in rows:
        counts.setdefault(kind, Counter())[state] = count
    spans = {kind: durations.of_kind(kind) for kind in counts}
    return [
        {
            "name": kind,
            "counts": [ended[state] for state in (Job.State.SUCCEEDED, Job.State.FAILED, Job.State.CANCELLED)],
            "takes": timedelta(seconds=span.middle) if (span := spans[kind]) else None,
        }
        for kind, ended in sorted(counts.items())
    ]


def _nodes() -> list[dict[str, object]]:
    """Return all workers known, with how many jobs each has in hand."""
    held = Counter(Job.objects.held().values_list("worker", flat=True))
    online = set(WorkerNode.objects.online().values_list("pk", flat=True))
    return [
        {"node": node, "held": held[node.name], "is_online": node.pk in online}
        for node in WorkerNode.objects.order_by("name")
    ]
