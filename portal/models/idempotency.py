"""Answers of the REST API that may be asked for again, so that a repeated request does nothing twice."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from portal.models.accounts import User

KEPT = timedelta(days=1)


class IdempotentAnswerQuerySet(models.QuerySet["IdempotentAnswer"]):
    def kept(self) -> "IdempotentAnswerQuerySet":
        return self.filter(created_at__gte=Now() - KEPT)

    def outdated(self) -> "IdempotentAnswerQuerySet":
        """Those whose keys may be used anew."""
        return self.filter(created_at__lt=Now() - KEPT)


class IdempotentAnswer(models.Model):
    """What a request with this key of this person was answered; written in the transaction of what it did."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = IdempotentAnswerQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_once"),)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.key}"
