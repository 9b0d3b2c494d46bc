"""Reproductions: further runs of what an evaluation was, kept beside it whatever they found."""

from typing import Any

from django.db import models
from django.db.models import Q

from leaderboard.models.evaluations import Evaluation
from portal.models import Job, User


class ReproductionQuerySet(models.QuerySet["Reproduction"]):
    def finished(self) -> "ReproductionQuerySet":
        """Runs that ended with a score."""
        return self.filter(finished_at__isnull=False)

    def unfinished(self) -> "ReproductionQuerySet":
        """Runs that a worker still has to do or is doing."""
        return self.filter(finished_at__isnull=True, job__state__in=Job.UNFINISHED)


class Reproduction(models.Model):
    """One more run of the same files, benchmark, engine, precision and seed. It never changes the score itself."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="reproductions")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="reproduction")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    # What it found; empty until finished_at is set.
    value = models.FloatField(null=True)
    metrics = models.JSONField(default=dict)
    prediction_digest = models.CharField(max_length=64, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    device = models.CharField(max_length=120, blank=True)
    device_name = models.CharField(max_length=200, blank=True)
    threads = models.PositiveSmallIntegerField(null=True)
    versions = models.JSONField(default=dict)

    objects = ReproductionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(value__isnull=False),
                name="reproduction_finished_has_value",
            ),
        )
        indexes = (models.Index(fields=("evaluation", "id"), name="reproduction_of_evaluation"),)

    def __str__(self) -> str:
        return f"reproduction {self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def has_same_answers(self) -> bool:
        """Whether every answer was the one that the evaluation has."""
        return self.is_finished and self.prediction_digest == self.evaluation.prediction_digest

    @property
    def differing_versions(self) -> dict[str, Any]:
        """The libraries that were not those of the evaluation."""
        return {name: found for name, found in self.versions.items() if self.evaluation.versions.get(name) != found}
