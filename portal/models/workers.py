"""The processes behind the site: workers that are online, and duties that one process has at a time."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

RELAY = "relay"


class WorkerNodeQuerySet(models.QuerySet["WorkerNode"]):
    def online(self) -> "WorkerNodeQuerySet":
        """Workers that were heard of lately."""
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

    @classmethod
    def goodbye(cls, name: str) -> None:
        """Say that worker `name` has stopped."""
        cls.objects.filter(name=name).delete()

    @classmethod
    def queues_served(cls) -> dict[str, int]:
        """Return the queues that online workers serve, with the number of jobs each can run at once."""
        slots: dict[str, int] = {}
        for node in cls.objects.online():
            for queue in node.queues:
                slots[queue] = slots.get(queue, 0) + node.slots
        return slots


class Duty(models.Model):
    """Work that exactly one process does at a time, such as the relay's; whoever holds it must renew in time."""

    name = models.CharField(max_length=40, unique=True)
    holder = models.CharField(max_length=120, blank=True)
    until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, *, holder: str, span: timedelta) -> bool:
        """Take or renew a duty for `span`; False while another process holds it."""
        free = Q(holder=holder) | Q(until__isnull=True) | Q(until__lt=Now())
        cls.objects.get_or_create(name=name)
        return bool(cls.objects.filter(free, name=name).update(holder=holder, until=Now() + span))

    @classmethod
    def is_held(cls, name: str) -> bool:
        return cls.objects.filter(name=name, until__gt=Now()).exists()

    @classmethod
    def leave(cls, name: str, *, holder: str) -> None:
        """Let another process have the duty at once."""
        cls.objects.filter(name=name, holder=holder).update(until=None)
