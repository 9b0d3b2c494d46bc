"""The processes behind the site: workers that are online, and duties that one process has at a time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal.models.accounts import User
from portal.models.outbox import Event

RELAY = "relay"


class WorkerNodeQuerySet(models.QuerySet["WorkerNode"]):
    def online(self) -> "WorkerNodeQuerySet":
        """Workers that were heard of lately."""
        return self.filter(seen_at__gt=Now() - WorkerNode.SILENCE)

    def taking(self) -> "WorkerNodeQuerySet":
        """Online workers that take new jobs: neither draining nor of another version."""
        return self.online().filter(draining=False, refusal="")


class WorkerNode(models.Model):
    """A worker process that has told of itself: which queues it serves and with what isolation."""

    SILENCE = timedelta(seconds=45)

    name = models.CharField(max_length=120, unique=True)
    queues = models.JSONField(default=list)
    slots = models.PositiveSmallIntegerField(default=1)
    capabilities = models.JSONField(default=dict)  # what jobs may need, see `portal.needs`
    draining = models.BooleanField(default=False)  # it ends what it runs and takes nothing new
    refusal = models.TextField(blank=True)  # why the portal gives it no jobs, in English with %(names)s
    refusal_data = models.JSONField(default=dict)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField()

    objects = WorkerNodeQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def hello(
        cls,
        name: str,
        *,
        queues: list[str],
        slots: int,
        capabilities: dict[str, Any],
        refusal: str = "",
        refusal_data: Mapping[str, str] | None = None,
    ) -> None:
        """Say that worker `name` is alive, and why it takes no jobs when it does not fit the portal."""
        values = {"queues": queues, "slots": slots, "capabilities": capabilities, "seen_at": Now()}
        values |= {"refusal": refusal, "refusal_data": refusal_data or {}}
        cls.objects.update_or_create(name=name, defaults=values)

    @classmethod
    def goodbye(cls, name: str) -> None:
        """Say that worker `name` has stopped."""
        cls.objects.filter(name=name).delete()

    def drain(self, *, by: User | None, draining: bool = True) -> None:
        """Let the worker end what it runs and take nothing new, or take jobs again."""
        rows = WorkerNode.objects.filter(pk=self.pk).exclude(draining=draining)
        with transaction.atomic():
            if rows.update(draining=draining):
                kind = "worker.drained" if draining else "worker.resumed"
                Event.record(kind, subject=f"worker:{self.name}", by=by)
        self.draining = draining

    @property
    def refusal_text(self) -> str:
        """Why it gets no jobs, in the reader's language."""
        return _(self.refusal) % self.refusal_data if self.refusal else ""


class Duty(models.Model):
    """Work that exactly one process does at a time, such as the relay's; whoever holds it must renew in time."""

    name = models.CharField(max_length=40, unique=True)
    holder = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)  # what others must know of the holder, such as its version
    until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, *, holder: str, span: timedelta, facts: Mapping[str, str] | None = None) -> bool:
        """Take or renew a duty for `span`; False while another process holds it."""
        free = Q(holder=holder) | Q(until__isnull=True) | Q(until__lt=Now())
        cls.objects.get_or_create(name=name)
        values = {"holder": holder, "until": Now() + span, "facts": facts or {}}
        return bool(cls.objects.filter(free, name=name).update(**values))

    @classmethod
    def is_held(cls, name: str) -> bool:
        return cls.objects.filter(name=name, until__gt=Now()).exists()

    @classmethod
    def facts_of(cls, name: str) -> dict[str, str]:
        """Return what the present holder of a duty said of itself, nothing while nobody holds it."""
        held = cls.objects.filter(name=name, until__gt=Now())
        facts: dict[str, str] | None = held.values_list("facts", flat=True).first()
        return facts or {}

    @classmethod
    def leave(cls, name: str, *, holder: str) -> None:
        """Let another process have the duty at once."""
        cls.objects.filter(name=name, holder=holder).update(until=None)
