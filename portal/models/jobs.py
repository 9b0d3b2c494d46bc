"""Background jobs: a row is the job, a lease says who works on it, a fence stops whoever lost it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal.errors import Conflict, DomainError
from portal.models import job_states
from portal.models.accounts import Asker, User
from portal.models.job_parts import MAX_LINE, JobLine, JobRepo
from portal.models.job_reach import in_reach
from portal.models.job_states import CANCELLED, CRASHED, OVERDUE, STALLED, WORKER_LOST, WORKER_STOPPED, filled
from portal.models.outbox import Event
from portal.reach import is_limited, may_use

MAX_LOG_LINES = 2000
MAX_LOSSES = 3  # a job that took its worker with it so often is taken for the cause
BACKOFF_SECONDS = (5, 30, 120)
MAX_PRIORITY = 32_000
LOG_CUT = "… the log is cut off here: a job may write %d lines."


class LeaseLost(DomainError):
    """This attempt was cancelled, or its job now belongs to another worker: stop at once, write nothing."""

    code = "lease_lost"


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Asker) -> "JobQuerySet":
        """A person's own jobs; staff see all of them, see `Job.is_open_to`.

        A token that was given certain repositories shows the jobs of these alone, and none shows a job that names
        a repository which it does not.
        """
        if not user.is_authenticated or not may_use(user, "jobs"):
            return self.none()
        rows = self if user.is_staff or user.is_superuser else self.filter(owner_id=user.pk)
        return rows.filter(in_reach(user)) if is_limited(user) else rows

    def due(self) -> "JobQuerySet":
        """Queued jobs whose time has come; in which order they start, `portal.fair_share` says."""
        return self.filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()), state=job_states.JobState.QUEUED)

    def unsent(self, patience: timedelta) -> "JobQuerySet":
        """Jobs of which no worker was told, or so long ago that the message may be lost."""
        return self.filter(Q(sent_at__isnull=True) | Q(sent_at__lt=Now() - patience))

    def held(self) -> "JobQuerySet":
        """Jobs that a worker has in its hands."""
        return self.filter(state__in=job_states.HELD)

    def expired(self) -> "JobQuerySet":
        """Jobs whose worker has not been heard of for a whole lease."""
        return self.held().filter(lease_until__lt=Now())

    def unfinished(self) -> "JobQuerySet":
        return self.filter(state__in=job_states.UNFINISHED)


class Job(models.Model):
    """One piece of background work and everything a person may want to know about it."""

    State = job_states.JobState
    HELD = job_states.HELD
    UNFINISHED = job_states.UNFINISHED

    kind = models.CharField(max_length=40)
    # "reads" in a spec lists the repositories whose content the job's worker may fetch over HTTP.
    spec = models.JSONField(default=dict)
    queue = models.CharField(max_length=20, default="cpu")
    needs = models.JSONField(default=dict)  # what its worker must have, see `portal.needs`
    priority = models.SmallIntegerField(default=0)  # among the jobs of the same owner
    is_raised = models.BooleanField(default=False)  # by staff: it starts before what others wait for
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="jobs")
    # Whose turn it takes: the owner's id, or 0 for all that nobody owns. Null could not be compared in SQL.
    share = models.PositiveBigIntegerField(default=0)
    title = models.CharField(max_length=300, blank=True)
    # Two requests for the same work become one row; null where repeating is meant.
    idempotency_key = models.CharField(max_length=200, null=True, unique=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    reason_data = models.JSONField(default=dict)  # what a reason with %(names)s is filled with
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    max_seconds = models.PositiveIntegerField(null=True)  # of one attempt; null stands for what the settings say
    losses = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)  # when the work last got on: a line, progress, or processor time
    not_before = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    progress = models.FloatField(default=0)
    message = models.CharField(max_length=300, blank=True)
    message_data = models.JSONField(default=dict)  # what a message with %(names)s is filled with
    warning = models.CharField(max_length=1000, blank=True)  # lines, each a text of the catalogue
    line_count = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = (
            # How jobs wait, and what each owner has in hand and had last: the order of `portal.fair_share`.
            models.Index(fields=("queue", "share", "-priority", "id"), name="job_waiting", condition=Q(state="queued")),
            models.Index(fields=("queue", "share"), name="job_in_hand", condition=Q(state__in=("leased", "running"))),
            models.Index(
                fields=("queue", "share", "started_at"), name="job_turn", condition=Q(started_at__isnull=False)
            ),
            models.Index(fields=("owner", "-id"), name="job_owner"),
            models.Index(fields=("owner", "finished_at"), name="job_owner_over"),
            # How long jobs of a kind took, and what happened in the last day.
            models.Index(fields=("kind", "-finished_at"), name="job_measured", condition=Q(state="succeeded")),
            models.Index(fields=("finished_at",), name="job_over"),
        )

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    def is_open_to(self, user: Asker) -> bool:
        """Whether the user may read what the job is about: staff watch all jobs, and titles name what is private."""
        return user.is_superuser or (user.pk is not None and self.owner_id == user.pk)

    @classmethod
    def enqueue(
        cls,
        kind: str,
        *,
        spec: dict[str, Any],
        owner: User | None,
        title: str,
        queue: str = "cpu",
        needs: dict[str, Any] | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
        max_attempts: int = 3,
        max_seconds: int | None = None,
        about: Iterable[int] = (),
    ) -> "Job":
        """Add a job to the running transaction; the relay hands it to a worker once that is committed.

        `about` are ids of repositories that its title may name, beside those whose content it reads.
        """
        values = {
            "kind": kind,
            "spec": spec,
            "owner": owner,
            "share": owner.pk if owner else 0,
            "title": title[:300],
            "queue": queue,
            "needs": needs or {},
            "priority": priority,
            "max_attempts": max_attempts,
            "max_seconds": max_seconds,
        }
        with transaction.atomic():
            if idempotency_key is None:
                job, is_new = cls.objects.create(**values), True
            else:
                job, is_new = cls.objects.get_or_create(idempotency_key=idempotency_key, defaults=values)
            if is_new:
                named = sorted({*spec.get("reads", ()), *about})
                JobRepo.objects.bulk_create(JobRepo(job=job, repo_id=pk) for pk in named)
        return job

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
                heard_at=Now(),
                progress=0,
                message="",
                message_data={},
                reason="",
                reason_code="",
                reason_data={},
            )
        )
        return cls.objects.get(pk=job_id) if taken else None

    def _held(self) -> JobQuerySet:
        """The row, as long as this attempt still owns it."""
        return Job.objects.held().filter(pk=self.pk, fence=self.fence)

    def _change(self, rows: JobQuerySet, **changes: Any) -> None:
        if not rows.update(**changes):
            raise LeaseLost(_("This attempt was cancelled or replaced by another one."))

    def is_wanted(self) -> bool:
        """Whether this attempt still owns its job and nobody asked it to stop; cheap, asked twice a second."""
        return self._held().filter(cancel_requested_at__isnull=True).exists()

    def renew(self, lease: timedelta, *, got_on: bool = False) -> None:
        """Prolong the lease; raises LeaseLost when the job was cancelled or given to another worker.

        `got_on` says that the work used processor time since the last renewal, so that it is not taken for stuck.
        """
        changes = {"lease_until": Now() + lease} | ({"heard_at": Now()} if got_on else {})
        self._change(self._held().filter(cancel_requested_at__isnull=True), **changes)

    def report(self, progress: float, message: str = "", **data: Any) -> None:
        """Show how far the work is; also the step from leased to running."""
        self._change(
            self._held(),
            state=self.State.RUNNING,
            progress=min(max(progress, 0.0), 1.0),
            message=message[:300],
            message_data=data,
            heard_at=Now(),
        )

    def warn(self, text: str) -> None:
        """Show something that a reader of the result must know, such as a missing wall of the sandbox."""
        self._change(self._held(), warning=text[:1000])

    def log(self, *texts: str) -> None:
        """Append lines to the job's log; a flood is cut off, never stored."""
        with transaction.atomic():
            self._change(self._held(), line_count=F("line_count") + len(texts), heard_at=Now())
            total = Job.objects.values_list("line_count", flat=True).get(pk=self.pk)
            kept = list(texts[: max(MAX_LOG_LINES - (total - len(texts)), 0)])
            if len(kept) < len(texts) and total - len(texts) <= MAX_LOG_LINES:
                kept.append(LOG_CUT % MAX_LOG_LINES)
            lines = (text.replace("\x00", "")[:MAX_LINE] for text in kept)
            JobLine.objects.bulk_create(JobLine(job=self, attempt=self.attempt, text=text) for text in lines)

    def finish(self, result: dict[str, Any]) -> None:
        """End in success. Call it inside the transaction that stores the results: a lost fence undoes both."""
        with transaction.atomic():
            self._change(
                self._held(),
                state=self.State.SUCCEEDED,
                progress=1,
                result=result,
                finished_at=Now(),
                lease_until=None,
                message="",
            )
            self.checkpoints.all().delete()
            Event.record("job.succeeded", subject=f"job:{self.pk}", by=self.owner, kind=self.kind)

    def fail(self, *, code: str, reason: str, **data: Any) -> bool:
        """End in failure for a cause that another attempt would not change; False when the job was not ours."""
        return self._end(self._held(), code=code, reason=reason, data=data)

    def give_back(self, *, code: str, reason: str, **data: Any) -> bool:
        """End this attempt for a cause outside the job: try again later, or fail when attempts are used up."""
        return self._end(self._held(), code=code, reason=reason, data=data, retry=True)

    def release(self) -> bool:
        """Put the job back because its worker shuts down: the attempt does not count, the next may start at once."""
        return self._end(self._held(), code="worker_stopped", reason=WORKER_STOPPED, retry=True, counts=False)

    # What the relay and people do.

    def expire(self) -> bool:
        """Take the job from a worker that stopped renewing its lease."""
        rows = self._held().filter(lease_until__lt=Now())
        if self.losses + 1 >= MAX_LOSSES:
            return self._end(rows, code="crashed", reason=CRASHED, losses=self.losses + 1)
        return self._end(rows, code="worker_lost", reason=WORKER_LOST, retry=True, losses=self.losses + 1)

    def end_if_stuck(self, now: datetime) -> bool:
        """Fail a held job whose work stands still or takes longer than it may; `now` is the database's clock."""
        started, heard = self.started_at or now, self.heard_at or self.started_at or now
        longest = self.max_seconds or settings.JOB_WALL_SECONDS
        if (now - started).total_seconds() > longest:
            return self.fail(code="time_limit", reason=OVERDUE, minutes=longest // 60)
        if (now - heard).total_seconds() > settings.JOB_STALL_SECONDS:
            return self.fail(code="stalled", reason=STALLED, minutes=settings.JOB_STALL_SECONDS // 60)
        return False

    def raise_above_others(self, *, by: User, raised: bool = True) -> None:
        """Let a waiting job start before what others wait for, or put it back in line."""
        rows = Job.objects.filter(pk=self.pk, state=self.State.QUEUED).exclude(is_raised=raised)
        with transaction.atomic():
            if rows.update(is_raised=raised):
                kind = "job.raised" if raised else "job.lowered"
                Event.record(kind, subject=f"job:{self.pk}", by=by, kind=self.kind)
        self.refresh_from_db()

    def put_first(self, *, by: User) -> None:
        """Let a waiting job start before the other jobs of its owner; it moves before nobody else's."""
        waiting = Job.objects.filter(state=self.State.QUEUED, owner=self.owner_id)
        highest = waiting.exclude(pk=self.pk).aggregate(highest=Max("priority"))["highest"]
        if highest is not None and self.priority <= highest:
            with transaction.atomic():
                if waiting.filter(pk=self.pk).update(priority=min(highest + 1, MAX_PRIORITY)):
                    Event.record("job.put_first", subject=f"job:{self.pk}", by=by, kind=self.kind)
        self.refresh_from_db()

    def cancel(self, *, by: User | None, reason: str = CANCELLED) -> None:
        """Cancel a queued job at once, and ask the worker of a running one to stop; raises Conflict when it is over."""
        with transaction.atomic():
            row = Job.objects.select_for_update().get(pk=self.pk)
            if row.state == self.State.QUEUED:
                Job.objects.filter(pk=self.pk).update(
                    state=self.State.CANCELLED, reason_code="cancelled", reason=reason, finished_at=Now()
                )
                self.checkpoints.all().delete()
                Event.record("job.cancelled", subject=f"job:{self.pk}", by=by, kind=self.kind)
            elif row.state in self.HELD:
                Job.objects.filter(pk=self.pk, cancel_requested_at__isnull=True).update(
                    cancel_requested_at=Now(), reason=reason
                )
            elif row.state != self.State.CANCELLED:
                raise Conflict(_("This job is over already; there is nothing left to cancel."), code="job_finished")
        self.refresh_from_db()

    def _end(
        self,
        rows: JobQuerySet,
        *,
        code: str,
        reason: str,
        data: dict[str, Any] | None = None,
        retry: bool = False,
        counts: bool = True,
        losses: int | None = None,
    ) -> bool:
        with transaction.atomic():
            row = rows.select_for_update().first()
            if row is None:
                return False
            changes: dict[str, Any] = {"lease_until": None, "losses": row.losses if losses is None else losses}
            if row.cancel_requested_at:
                event, code, reason, data = "job.cancelled", "cancelled", row.reason or CANCELLED, {}
                changes |= {"state": self.State.CANCELLED, "finished_at": Now()}
            elif retry and (not counts or row.attempt < row.max_attempts):
                event = "job.retried"
                changes |= {"state": self.State.QUEUED, "sent_at": None, **_next_start(row.attempt, counts)}
            else:
                event = "job.failed"
                changes |= {"state": self.State.FAILED, "finished_at": Now()}
            rows.update(**changes, reason_code=code, reason=reason, reason_data=data or {})
            if "finished_at" in changes:
                self.checkpoints.all().delete()
            Event.record(event, subject=f"job:{self.pk}", by=row.owner, kind=self.kind, code=code)
        return True

    # What is shown.

    @property
    def is_finished(self) -> bool:
        return self.state not in self.UNFINISHED

    @property
    def reason_text(self) -> str:
        """The stored reason in the reader's language."""
        return filled(self.reason, self.reason_data)

    @property
    def state_text(self) -> str:
        """What a held job is doing, or why an ended one ended; why a queued one waits, `portal.waiting` says."""
        if self.state in self.HELD:
            stopping = self.cancel_requested_at is not None
            return _("Stopping…") if stopping else filled(self.message, self.message_data)
        return self.reason_text


def _next_start(attempt: int, counts: bool) -> dict[str, Any]:
    if not counts:  # the cause was the worker
        return {"attempt": F("attempt") - 1, "not_before": None}
    wait = BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1]
    return {"not_before": Now() + timedelta(seconds=wait)}
