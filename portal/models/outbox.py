"""The outbox: what happened (Event) and what is to be done (Job), written with the change that causes them."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from portal.models.audit import AUDITED, AuditEntry

if TYPE_CHECKING:
    # Accounts record events themselves, so at run time they are imported the other way round.
    from portal.models.accounts import User


class EventQuerySet(models.QuerySet["Event"]):
    def undelivered(self) -> "EventQuerySet":
        return self.filter(delivered_at__isnull=True).order_by("id")


class Event(models.Model):
    """One fact in the past tense, such as `repo.committed`: the audit trail and the source of reactions."""

    kind = models.CharField(max_length=60)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("id",), name="event_undelivered", condition=models.Q(delivered_at__isnull=True)),
            models.Index(fields=("subject", "-id"), name="event_subject"),
            models.Index(fields=("actor", "-id"), name="event_of_actor", condition=models.Q(actor__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @classmethod
    def record(cls, kind: str, /, *, subject: str, by: "User | None", **payload: Any) -> "Event":
        """Add an event to the running transaction; what its actor's audit list shows is noted there too."""
        if by is not None and kind in AUDITED:
            AuditEntry.note(kind, account=by, by=by, subject=subject, **payload)
        return cls.objects.create(kind=kind, subject=subject, actor=by, payload=payload)
