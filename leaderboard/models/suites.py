"""Suites: weighted lists of benchmarks that rank models together."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from leaderboard.models.benchmarks import Benchmark, in_current_language


class Suite(models.Model):
    """A named board: the benchmarks that a model must have a score of to be ranked."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    title_zh = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    description_zh = models.TextField(blank=True)
    benchmarks = models.ManyToManyField(Benchmark, through="SuiteEntry", related_name="suites")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/leaderboard/{self.slug}"

    @property
    def public_entries(self) -> "list[SuiteEntry]":
        """The benchmarks that anybody may see."""
        return [entry for entry in self.entries.all() if not entry.benchmark.dataset.private]

    @property
    def name(self) -> str:
        """The title in the reader's language."""
        return in_current_language(self.title, self.title_zh)

    @property
    def text(self) -> str:
        """The description in the reader's language."""
        return in_current_language(self.description, self.description_zh)


class SuiteEntry(models.Model):
    """One benchmark of a suite and its share of the mean."""

    suite = models.ForeignKey(Suite, models.CASCADE, related_name="entries")
    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="entries")
    weight = models.FloatField(default=1, validators=[MinValueValidator(0.01)])
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(fields=("suite", "benchmark"), name="suite_entry_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="suite_entry_weighs"),
        )

    def __str__(self) -> str:
        return f"{self.benchmark} × {self.weight:g}"
