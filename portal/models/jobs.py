"""Background jobs: a row is the job, a lease says who works on it, a fence stops whoever lost it."""

from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from portal.errors import DomainError
from portal.models.accounts import User
from portal.models.outbox import Event

MAX_LOG_LINES = 2000
MAX_LINE = 2000
BACKOFF_SECONDS = (5, 30, 120)
# Reasons are stored in English and translated where they are shown.
CANCELLED = {"reason_code": "cancelled", "reason": gettext_noop("Cancelled on request.")}


class LeaseLost(DomainError):
    """This attempt was cancelled, or its job now belongs to another worker: stop at once, write nothing."""

    code = "lease_lost"


class JobQuerySet(models.QuerySet["Job"]):
    def due(self) -> "JobQuerySet":
        """Queued jobs whose time has come, in the order in which they should start."""
        return self.filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()), state=Job.State.QUEUED).order_by(
            "-priority", "id"
        )

    def expired(self) -> "JobQuerySet":
        """Jobs whose worker has not been heard of for a whole lease."""
        return self.filter(state__in=Job.HELD, lease_until__lt=Now())

    def unfinished(self) -> "JobQuerySet":
        return self.filter(state__in=Job.UNFINISHED)


class Job(models.Model):
    """One piece of background work and everything a person may want to know about it."""

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        LEASED = "leased", gettext_lazy("starting")
        RUNNING = "running", gettext_lazy("running")
        SUCCEEDED = "succeeded", gettext_lazy("succeeded")
        FAILED = "failed", gettext_lazy("failed")
        CANCELLED = "cancelled", gettext_lazy("cancelled")

    HELD = (State.LEASED, State.RUNNING)
    UNFINISHED = (State.QUEUED, State.LEASED, State.RUNNING)

    kind = models.CharField(max_length=40)
    spec = models.JSONField(default=dict)
    queue = models.CharField(max_length=20, default="cpu")
    priority = models.SmallIntegerField(default=0)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="jobs")
    title = models.CharField(max_length=300, blank=True)
    # Two requests for the same work become one row; null where repeating is meant.
    idempotency_key = models.CharField(max_length=200, null=True, unique=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    fence = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    progress = models.FloatField(default=0)
    message = models.CharField(max_length=300, blank=True)
    warning = models.CharField(max_length=500, blank=True)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("queue", "-priority", "id"), name="job_queued", condition=Q(state="queued")),
            models.Index(fields=("lease_until",), name="job_held", condition=Q(state__in=("leased", "running"))),
            models.Index(fields=("owner", "-id"), name="job_owner"),
        )

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @classmethod
    def enqueue(
        cls,
        kind: str,
        *,
        spec: dict[str, Any],
        owner: User | None,
        title: str,
        queue: str = "cpu",
        priority: int = 0,
        idempotency_key: str | None = None,
        max_attempts: int = 3,
    ) -> "Job":
        """Add a job to the running transaction; the relay hands it to a worker once that is committed."""
        values = {
            "kind": kind,
            "spec": spec,
            "owner": owner,
            "title": title[:300],
            "queue": queue,
            "priority": priority,
            "max_attempts": max_attempts,
        }
        if idempotency_key is None:
            return cls.objects.create(**values)
        return cls.objects.get_or_create(idempotency_key=idempotency_key, defaults=values)[0]

    # What a worker does. Each step is one conditional UPDATE, so it holds on any database without a lock.

    @classmethod
    def claim(cls, job_id: int, *, worker: str, lease: timedelta) -> "Job | None":
        """Take a due job for `worker`, or return None when somebody else was faster or it is not due."""
        taken = (
            cls.objects.filter(pk=job_id, state=cls.State.QUEUED)
            .filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))
            .update(
                state=cls.State.LEASED,
                worker=worker,
                fence=F("fence") + 1,
                attempt=F("attempt") + 1,
                lease_until=Now() + lease,
                started_at=Now(),
                progress=0,
                message="",
                reason="",
                reason_code="",
            )
        )
        return cls.objects.get(pk=job_id) if taken else None

    def _held(self) -> JobQuerySet:
        """The row, as long as this attempt still owns it."""
        return Job.objects.filter(pk=self.pk, fence=self.fence, state__in=self.HELD)

    def renew(self, lease: timedelta) -> None:
        """Prolong the lease; raises LeaseLost when the job was cancelled or given to another worker."""
        if not self._held().filter(cancel_requested_at__isnull=True).update(lease_until=Now() + lease):
            raise LeaseLost(_("This attempt was cancelled or replaced by another one."))

    def report(self, progress: float, message: str = "") -> None:
        """Show how far the work is; also the step from leased to running."""
        changed = self._held().update(
            state=self.State.RUNNING, progress=min(max(progress, 0.0), 1.0), message=message[:300]
        )
        if not changed:
            raise LeaseLost(_("This attempt was cancelled or replaced by another one."))

    def log(self, text: str) -> None:
        """Append a line to the job's log; a flood is cut off, never stored."""
        count = self.lines.count()
        if count < MAX_LOG_LINES:
            self.lines.create(attempt=self.attempt, text=text.replace("\x00", "")[:MAX_LINE])

    def finish(self, result: dict[str, Any]) -> None:
        """End in success. Call it inside the transaction that stores the results: a lost fence undoes both."""
        if not self._held().update(
            state=self.State.SUCCEEDED, progress=1, result=result, finished_at=Now(), lease_until=None, message=""
        ):
            raise LeaseLost(_("This attempt was cancelled or replaced by another one."))
        Event.record("job.succeeded", subject=f"job:{self.pk}", by=self.owner, kind=self.kind)

    def fail(self, *, code: str, reason: str) -> None:
        """End in failure for a cause that another attempt would not change."""
        self._end_attempt(self._held(), code=code, reason=reason, retry=False)

    def give_back(self, *, code: str, reason: str) -> None:
        """End this attempt for a cause outside the job: try again later, or fail when attempts are used up."""
        self._end_attempt(self._held(), code=code, reason=reason, retry=True)

    # What the relay and people do.

    def expire(self) -> None:
        """Take the job from a worker that stopped renewing its lease."""
        self._end_attempt(
            self._held().filter(lease_until__lt=Now()),
            code="worker_lost",
            reason=gettext_noop("The worker stopped answering while it ran this job."),
            retry=True,
        )

    def cancel(self, *, by: User) -> None:
        """Cancel a queued job at once, and ask the worker of a running one to stop."""
        with transaction.atomic():
            stopped = Job.objects.filter(pk=self.pk, state=self.State.QUEUED).update(
                state=self.State.CANCELLED, finished_at=Now(), **CANCELLED
            )
            if stopped:
                Event.record("job.cancelled", subject=f"job:{self.pk}", by=by, kind=self.kind)
            else:
                Job.objects.filter(pk=self.pk, state__in=self.HELD, cancel_requested_at__isnull=True).update(
                    cancel_requested_at=Now()
                )
        self.refresh_from_db()

    def _end_attempt(self, rows: JobQuerySet, *, code: str, reason: str, retry: bool) -> None:
        with transaction.atomic():
            row = rows.first()
            if row is None:
                return
            changes: dict[str, Any] = {"lease_until": None, "reason_code": code, "reason": reason}
            if row.cancel_requested_at:
                kind, changes = "job.cancelled", {"state": self.State.CANCELLED, "lease_until": None, **CANCELLED}
            elif retry and row.attempt < row.max_attempts:
                wait = BACKOFF_SECONDS[min(row.attempt, len(BACKOFF_SECONDS)) - 1]
                kind = "job.retried"
                changes |= {"state": self.State.QUEUED, "sent_at": None, "not_before": Now() + timedelta(seconds=wait)}
            else:
                kind, changes = "job.failed", {**changes, "state": self.State.FAILED}
            if kind != "job.retried":
                changes["finished_at"] = Now()
            if rows.update(**changes):
                Event.record(kind, subject=f"job:{self.pk}", by=row.owner, kind=self.kind, code=code)

    @property
    def is_finished(self) -> bool:
        return self.state not in self.UNFINISHED

    def position(self) -> int:
        """How many due jobs of the same queue would start before this one."""
        return (
            Job.objects.due()
            .filter(queue=self.queue)
            .filter(Q(priority__gt=self.priority) | Q(priority=self.priority, pk__lt=self.pk))
            .count()
        )


class JobLine(models.Model):
    """One line of a job's log."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="lines")
    attempt = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=MAX_LINE)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("job", "id"), name="job_line"),)

    def __str__(self) -> str:
        return self.text


class WorkerNodeQuerySet(models.QuerySet["WorkerNode"]):
    def online(self) -> "WorkerNodeQuerySet":
        return self.filter(seen_at__gt=Now() - WorkerNode.SILENCE)


class WorkerNode(models.Model):
    """A worker process that has told of itself: which queues it serves and with what isolation."""

    SILENCE = timedelta(seconds=45)

    name = models.CharField(max_length=120, unique=True)
    queues = models.JSONField(default=list)
    slots = models.PositiveSmallIntegerField(default=1)
    capabilities = models.JSONField(default=dict)
    seen_at = models.DateTimeField()

    objects = WorkerNodeQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def hello(cls, name: str, *, queues: list[str], slots: int, capabilities: dict[str, Any]) -> None:
        """Say that worker `name` is alive."""
        values = {"queues": queues, "slots": slots, "capabilities": capabilities, "seen_at": Now()}
        cls.objects.update_or_create(name=name, defaults=values)
