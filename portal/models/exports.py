"""Exports of what the portal holds of a person: one zip file, for some days, for that person alone."""

import secrets
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext

from portal.errors import Conflict
from portal.models.accounts import User
from portal.models.jobs import Job
from portal.models.outbox import Event

KIND = "export_account"
KEPT_FOR = timedelta(days=7)


class AccountExport(models.Model):
    """One export; its file is named by a secret that only this row knows."""

    user = models.ForeignKey(User, models.CASCADE, related_name="exports")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    file = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export {self.pk} of {self.user_id}"

    @classmethod
    def ask(cls, *, by: User) -> "AccountExport":
        """Have an export made; one at a time."""
        with transaction.atomic():
            User.objects.select_for_update().get(pk=by.pk)
            running = cls.objects.filter(user=by, finished_at__isnull=True, job__finished_at__isnull=True)
            if running.filter(job__isnull=False).exists():
                raise Conflict(gettext("An export is being made already."))
            export = cls.objects.create(user=by, file=secrets.token_hex(24))
            export.job = Job.enqueue(
                KIND,
                owner=by,
                title=gettext("Export of my data"),
                spec={"export": export.pk},
                queue="light",
                needs={"store": True},
            )
            export.save(update_fields=["job"])
            Event.record("account.exported", subject=f"user:{by.pk}", by=by)
        return export

    @property
    def path(self) -> Path:
        """Where the file is, on the disk that web and worker share."""
        return Path(settings.DATA_DIR) / "exports" / f"{self.file}.zip"

    @property
    def is_ready(self) -> bool:
        return self.expires_at is not None and self.expires_at > timezone.now()

    def finish(self, size: int) -> None:
        """The file is whole; its days begin."""
        now = timezone.now()
        self.size, self.finished_at, self.expires_at = size, now, now + KEPT_FOR
        self.save(update_fields=["size", "finished_at", "expires_at"])

    @classmethod
    def forget_over(cls) -> int:
        """Remove exports whose days are over, with their files; also those that never came to be."""
        now, count = timezone.now(), 0
        stale = models.Q(expires_at__lt=now) | models.Q(expires_at=None, created_at__lt=now - KEPT_FOR)
        for export in cls.objects.filter(stale)[:500]:
            export.path.unlink(missing_ok=True)
            export.delete()
            count += 1
        return count
