"""Why a job waits, how many start before it and when it may start, in the reader's language."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import durations, fair_share, needs
from portal.durations import Span
from portal.fair_share import Turn
from portal.models import Duty, Job, WorkerNode
from portal.models.workers import RELAY
from portal.spans import rough, span_text


class Start(NamedTuple):
    """Between how many seconds from now a job is expected to start."""

    low: float
    high: float


class Outlook:
    """What the waiting jobs of a page wait for; each fact is asked from the database once for all of them."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[int, int]] = {}
        self._turns: dict[str, list[Turn]] = {}
        self._spans: dict[str, Span | None] = {}

    @cached_property
    def nodes(self) -> list[WorkerNode]:
        return list(WorkerNode.objects.taking())

    @cached_property
    def drained_queues(self) -> set[str]:
        """The queues of workers that are online and take nothing new."""
        return {queue for node in WorkerNode.objects.online().filter(draining=True) for queue in node.queues}

    @cached_property
    def relay_acts(self) -> bool:
        return Duty.is_held(RELAY)

    @cached_property
    def _held(self) -> list[tuple[str, str, datetime | None]]:
        return list(Job.objects.held().values_list("queue", "kind", "started_at"))

    def position(self, job: Job) -> int | None:
        """Return how many due jobs of its queue start before this one; None when it is not due itself."""
        if job.queue not in self._lines:
            self._turns[job.queue] = fair_share.line(job.queue)
            self._lines[job.queue] = {turn.job: place for place, turn in enumerate(self._turns[job.queue])}
        return self._lines[job.queue].get(job.pk)

    def start(self, job: Job) -> Start | None:
        """Return when a due job may start by what jobs of these kinds took lately; None where nobody can say."""
        ahead, able = self.position(job), self.able(job)
        if ahead is None or not able:
            return None
        slots = sum(node.slots for node in able)
        held = [(kind, begun) for queue, kind, begun in self._held if queue == job.queue]
        if len(held) + ahead < slots:
            return Start(0, 0)
        kinds = Counter(turn.kind for turn in self._turns[job.queue][:ahead])
        spans = {kind: self._span(kind) for kind in {*kinds, *(kind for kind, _begun in held)}}
        if any(span is None for span in spans.values()):
            return None
        known = {kind: span for kind, span in spans.items() if span is not None}
        past = [(known[kind], (timezone.now() - begun).total_seconds() if begun else 0) for kind, begun in held]
        low = sum(known[kind].low * count for kind, count in kinds.items()) + sum(max(s.low - t, 0) for s, t in past)
        high = sum(known[kind].high * count for kind, count in kinds.items()) + sum(max(s.high - t, 0) for s, t in past)
        return Start(low / slots, high / slots)

    def able(self, job: Job) -> list[WorkerNode]:
        """Return the workers that can do the job."""
        return [node for node in self.nodes if needs.can_do(node, job.queue, job.kind, job.needs)]

    def _span(self, kind: str) -> Span | None:
        if kind not in self._spans:
            self._spans[kind] = durations.of_kind(kind)
        return self._spans[kind]


def explanation(job: Job, outlook: Outlook | None = None) -> str:
    """Say why a job waits, what it is doing or why it ended; for a list, give all its jobs the same outlook."""
    return why(job, outlook or Outlook()) if job.state == Job.State.QUEUED else job.state_text


def explanations(jobs: Iterable[Job | None]) -> list[str]:
    """Say it of each of several jobs, "" where there is none."""
    outlook = Outlook()
    return [explanation(job, outlook) if job else "" for job in jobs]


def why(job: Job, outlook: Outlook) -> str:
    """Say why a queued job waits."""
    if job.not_before and job.not_before > timezone.now():
        seconds = int((job.not_before - timezone.now()).total_seconds()) + 1
        return _("Waiting %(seconds)d s before the next attempt. The last one ended with: %(reason)s") % {
            "seconds": seconds,
            "reason": job.reason_text,
        }
    serving = [node for node in outlook.nodes if job.queue in node.queues]
    if not serving:
        if job.queue in outlook.drained_queues:
            text = _("Waiting: the workers of the queue “%(queue)s” are being drained and take nothing new.")
        else:
            text = _("Waiting: no worker serves the queue “%(queue)s”. It starts as soon as one is online.")
        return text % {"queue": job.queue}
    if not outlook.able(job):
        return needs.why_nobody(job.kind, job.needs, serving)
    ahead = outlook.position(job) or 0
    if ahead == 0 and not outlook.relay_acts:
        return _(
            "Waiting: the relay, which hands jobs to workers, is not running. Start it with “manage.py run_relay”."
        )
    start = outlook.start(job)
    if ahead == 0:
        next_in_line = _("Next in line.")
        return next_in_line if start == Start(0, 0) else f"{next_in_line} {start_text(start)}"
    jobs = ngettext("Waiting: %(n)d job is ahead.", "Waiting: %(n)d jobs are ahead.", ahead) % {"n": ahead}
    return f"{jobs} {start_text(start)}"


def start_text(start: Start | None) -> str:
    """Say when a job is expected to start."""
    if start is None:
        return _("There is no estimate yet of when it starts.")
    low, high = span_text(rough(start.low)), span_text(rough(start.high))
    if low == high:
        return _("It may start in about %(span)s.") % {"span": high}
    return _("It may start in %(low)s to %(high)s.") % {"low": low, "high": high}


def positions(jobs: Sequence[Job]) -> dict[int, int | None]:
    """Return for each queued job how many start before it."""
    outlook = Outlook()
    return {job.pk: outlook.position(job) for job in jobs if job.state == Job.State.QUEUED}
