"""Accounts that end: deleted, or taken into another. The row says how far that has come, and outlives the account."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import User
from portal.models.jobs import Job


class HandoverQuerySet(models.QuerySet["Handover"]):
    def offered(self) -> "HandoverQuerySet":
        """Merges that one side has asked for and the other has not answered."""
        return self.filter(kind=Handover.Kind.MERGE, began_at__isnull=True)

    def unfinished(self) -> "HandoverQuerySet":
        return self.filter(finished_at__isnull=True)


class Handover(models.Model):
    """One account that ends. `step` is the step that is next; each step may be repeated without harm."""

    class Kind(models.TextChoices):
        DELETION = "deletion", _("deletion")
        MERGE = "merge", _("merge")

    # A plain id, as in the log of moderation: there is nobody of this id afterwards.
    person = models.BigIntegerField(db_index=True)
    name = models.CharField(max_length=150, blank=True)  # emptied when a deletion is over
    kind = models.CharField(max_length=8, choices=Kind.choices)
    into = models.ForeignKey(User, models.SET_NULL, null=True, related_name="taken_in")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)  # of an admin who asked for it
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    step = models.CharField(max_length=80, blank=True)
    counts = models.JSONField(default=dict)  # how many rows each step has dealt with
    created_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar = HandoverQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("person",), name="handover_once", condition=Q(finished_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.person}"
