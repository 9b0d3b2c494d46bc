"""Requests for access to a gated repository, and what became of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_hub.models.repos import Repo
from portal.models import User


class AccessRequest(models.Model):
    """One person's request to download from one repository; `fields` are the answers that its card asks for."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(User, models.CASCADE, related_name="access_requests")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    fields = models.JSONField(default=dict)
    rejection_reason = models.CharField(max_length=200, blank=True)
    granted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "user"), name="access_request_once"),)
        indexes = (models.Index(fields=("repo", "status", "-id"), name="access_request_status"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.status} for {self.repo_id}"
