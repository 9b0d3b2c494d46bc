"""What an attempt at a job saves on the way, so that the next attempt need not begin anew."""

import hashlib

from django.db import models, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from portal.errors import InvalidInput
from portal.models.jobs import Job, LeaseLost

MAX_BYTES = 16 * 1024**2  # of one job: partial results, never weights


class Checkpoint(models.Model):
    """One named piece of partial work. In the database, because a worker need share nothing else with the next one."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="checkpoints")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "name"), name="checkpoint_once"),)

    def __str__(self) -> str:
        return f"{self.name} of job {self.job_id}"

    @classmethod
    def save_for(cls, job: Job, name: str, content: bytes) -> str:
        """Keep a piece under the fence of this attempt and return its digest; LeaseLost when the job is not ours."""
        sha256 = hashlib.sha256(content).hexdigest()
        with transaction.atomic():
            if not Job.objects.held().filter(pk=job.pk, fence=job.fence).select_for_update().exists():
                raise LeaseLost(_("This attempt was cancelled or replaced by another one."))
            others = cls.objects.filter(job=job).exclude(name=name)
            if (others.aggregate(total=Sum("size"))["total"] or 0) + len(content) > MAX_BYTES:
                raise InvalidInput(_("A job may keep at most %(max)d bytes for its next attempt.") % {"max": MAX_BYTES})
            values = {"sha256": sha256, "size": len(content), "content": content}
            cls.objects.update_or_create(job=job, name=name, defaults=values)
        return sha256

    @classmethod
    def load_for(cls, job: Job) -> dict[str, bytes]:
        """Return the pieces that earlier attempts saved; one whose bytes are not what was saved is left out."""
        rows = cls.objects.filter(job=job).values_list("name", "sha256", "content")
        pieces = {name: (sha256, bytes(content)) for name, sha256, content in rows}
        return {
            name: content for name, (sha256, content) in pieces.items() if hashlib.sha256(content).hexdigest() == sha256
        }
