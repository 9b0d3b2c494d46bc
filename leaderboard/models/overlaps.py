"""Overlaps: how many rows of a test are found again, word for word, in a data set that is on this hub."""

from django.db import models
from django.db.models import Q

from leaderboard.models.benchmarks import Benchmark
from models_hub.models import Repo
from portal.models import Asker, Job


class OverlapQuerySet(models.QuerySet["Overlap"]):
    def finished(self) -> "OverlapQuerySet":
        """Comparisons that were made."""
        return self.filter(finished_at__isnull=False)

    def visible_to(self, user: Asker) -> "OverlapQuerySet":
        """Comparisons of which the user may see both the benchmark and the other data set."""
        seen = Repo.objects.visible_to(user)
        return self.filter(benchmark__dataset__in=seen, dataset__in=seen)


class Overlap(models.Model):
    """A benchmark's rows compared with one commit of a data set; about no model, so all models share it."""

    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="overlaps")
    dataset = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    commit_oid = models.CharField(max_length=40)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="overlap")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    tested = models.PositiveIntegerField(null=True)  # rows of the test that were compared
    shared = models.PositiveIntegerField(null=True)  # those of them that were found again
    short = models.PositiveIntegerField(null=True)  # those compared as a whole, because they are short
    rows = models.PositiveIntegerField(null=True)  # rows of the other data set that were read
    is_whole = models.BooleanField(default=True)  # nothing of either was left out for its size

    objects = OverlapQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("benchmark", "dataset", "commit_oid"), name="overlap_once"),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(shared__isnull=False, tested__isnull=False),
                name="overlap_finished_has_counts",
            ),
        )

    def __str__(self) -> str:
        return f"overlap {self.pk}"
