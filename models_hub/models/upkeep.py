"""What the upkeep of the store did and found: collections, scrubs, damaged content, the parts of each repository."""

from django.db import models
from django.db.models import Q

from models_hub.models.repos import Repo


class UpkeepRun(models.Model):
    """One run of the garbage collection or of the scrub, with what it counted.

    `cursor` is where the next run goes on.
    """

    class Kind(models.TextChoices):
        COLLECTION = "collection"
        SCRUB = "scrub"
        STANDING = "standing"  # badges, reputation and trust of everybody

    kind = models.CharField(max_length=10, choices=Kind.choices)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    cursor = models.CharField(max_length=64, blank=True)
    figures = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=("kind", "-id"), name="upkeep_latest"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M}"


class DamagedContent(models.Model):
    """Stored bytes that no longer have the digest they are kept under; they are set aside and never served.

    Sending the content again heals it.
    """

    key = models.CharField(max_length=64)
    size = models.BigIntegerField()
    found_at = models.DateTimeField(auto_now_add=True)
    healed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "damaged contents"
        constraints = (models.UniqueConstraint(fields=("key",), condition=Q(healed_at=None), name="damaged_once"),)

    def __str__(self) -> str:
        return self.key


class RepoMeasure(models.Model):
    """How the bytes of a repository were divided when it was last walked through."""

    repo = models.OneToOneField(Repo, models.CASCADE, related_name="measure")
    current = models.BigIntegerField()  # files of the default branch
    history = models.BigIntegerField()  # all else that a branch, a tag or a pull request reaches
    unused = models.BigIntegerField()  # what none of them reaches
    measured_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.repo_id}: {self.current} + {self.history} + {self.unused}"
