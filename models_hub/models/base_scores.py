"""What models answered before runs changed them, so that the next run from there need not ask again."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from models_hub.models.repos import Repo
from portal.models import Job, User

KEPT = timedelta(days=30)  # since a run last took it


class BaseScore(models.Model):
    """The answers of one model to one test part, and their score; measured by one attempt, taken by many.

    `key` is a digest of all that they depend on. Others of the same key wait while an attempt is at it, and the next
    one does it where that attempt is lost. A row is its owner's alone: nobody learns from how fast a run is what
    somebody else has measured.
    """

    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    base = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    data = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    # Which attempt measures it, or did.
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    fence = models.PositiveIntegerField(default=0)
    # {"n", "primary", "metrics", "floors"}; {} where the model cannot do the task.
    score = models.JSONField(default=dict)
    # Packed lines, null where they were too many to keep: whoever wants them then asks the model itself.
    predictions = models.BinaryField(null=True)
    finished_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="base_score_once"),)
        indexes = (models.Index(fields=("used_at",), name="base_score_used"),)

    def __str__(self) -> str:
        return self.key

    @classmethod
    def claim(cls, *, owner: User, key: str, base: Repo, data: Repo, job: Job) -> "BaseScore | None":
        """Return the row where it is measured, or where this attempt is to measure it; None while another one does."""
        values = {"base": base, "data": data, "job": job, "fence": job.fence}
        row, is_new = cls.objects.select_related("job").get_or_create(owner=owner, key=key, defaults=values)
        if row.finished_at is not None:
            cls.objects.filter(pk=row.pk).update(used_at=Now())
            return row
        if is_new or row.is_measured_by(job):
            return row
        if row.job is not None and Job.objects.held().filter(pk=row.job.pk, fence=row.fence).exists():
            return None
        lost = cls.objects.filter(pk=row.pk, finished_at=None, job=row.job_id, fence=row.fence)
        if not lost.update(job=job, fence=job.fence):
            return None
        return cls.objects.get(pk=row.pk)

    def is_measured_by(self, job: Job) -> bool:
        """Whether it is for this attempt to measure it."""
        return self.finished_at is None and (self.job_id, self.fence) == (job.pk, job.fence)

    def keep(self, *, score: dict[str, object], predictions: bytes | None, job: Job) -> None:
        """Keep what an attempt measured, unless another one has taken its place."""
        rows = BaseScore.objects.filter(pk=self.pk, job=job, fence=job.fence, finished_at=None)
        rows.update(score=score, predictions=predictions, finished_at=Now(), used_at=Now())

    @classmethod
    def forget_old(cls) -> None:
        """Drop what no run has taken for long, and what was begun and never measured."""
        never = Q(finished_at=None) & (Q(job=None) | Q(job__finished_at__isnull=False) | ~Q(job__fence=F("fence")))
        cls.objects.filter(Q(used_at__lt=timezone.now() - KEPT) | never).delete()
