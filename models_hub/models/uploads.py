"""Uploads of the browser: what somebody is sending, how much of it has come, and until when it is waited for."""

import secrets

from django.db import models
from django.utils import timezone

from models_hub.models.repos import Repo
from portal.models import User


def new_key() -> str:
    return secrets.token_hex(16)


class UploadQuerySet(models.QuerySet["Upload"]):
    def unfinished(self) -> "UploadQuerySet":
        return self.filter(page="")

    def outdated(self) -> "UploadQuerySet":
        return self.filter(expires_at__lt=timezone.now())


class Upload(models.Model):
    """Files on their way to one commit. Nobody but their sender knows of it.

    `page` is where the commit is seen once there is one: who asks again, because an answer was lost, is told.
    """

    key = models.CharField(max_length=32, unique=True, default=new_key)
    repo = models.ForeignKey(Repo, models.CASCADE, related_name="uploads")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    revision = models.CharField(max_length=300)
    folder = models.TextField(blank=True)
    title = models.TextField(blank=True)
    description = models.TextField(blank=True)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    page = models.TextField(blank=True)
    commit_oid = models.CharField(max_length=40, blank=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("user", "repo"), name="upload_of_sender"),
            models.Index(fields=("expires_at",), name="upload_expiry"),
        )

    def __str__(self) -> str:
        return self.key


class UploadFile(models.Model):
    """One file of an upload. `sha256` is set once all of it is here and has been verified."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="files")
    number = models.IntegerField()
    path = models.TextField()
    size = models.BigIntegerField()
    # What the sender's system says, in milliseconds: whether it is the same file when it is chosen again.
    modified = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # The repository has the content itself: it was moved there, or was there before.
    is_kept = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("upload", "number"), name="upload_file_once"),)

    def __str__(self) -> str:
        return self.path


class UploadPart(models.Model):
    """One part of a file that has arrived and has the digest that was announced."""

    file = models.ForeignKey(UploadFile, models.CASCADE, related_name="parts")
    number = models.IntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("file", "number"), name="upload_part_once"),)

    def __str__(self) -> str:
        return f"{self.file_id}: {self.number}"
