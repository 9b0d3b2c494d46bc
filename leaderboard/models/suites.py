"""Suites: weighted lists of benchmarks that rank models together."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from leaderboard.models.benchmarks import Benchmark, in_current_language
from leaderboard.models.reviewed import Reviewed, Standing
from portal.models import Asker, User
from portal.reach import reach_of


class SuiteQuerySet(models.QuerySet["Suite"]):
    def visible_to(self, user: Asker) -> "SuiteQuerySet":
        """Boards that are approved, for everybody; others for who proposed them and for staff, not for their apps."""
        if not isinstance(user, User) or reach_of(user) is not None:
            return self.filter(standing=Standing.APPROVED)
        return self.all() if user.is_staff else self.filter(Q(standing=Standing.APPROVED) | Q(proposed_by=user))

    def approved(self) -> "SuiteQuerySet":
        """Boards that everybody sees, with the number of the newest version of each."""
        siblings = Suite.objects.filter(slug=OuterRef("slug"), standing=Standing.APPROVED)
        newest = Subquery(siblings.order_by("-version").values("version")[:1])
        # The class declares what the annotation adds, so that readers of a row know it.
        return self.filter(standing=Standing.APPROVED).annotate(newest=newest)  # type: ignore[no-redef]

    def current(self) -> "SuiteQuerySet":
        """The newest approved version of each board."""
        return self.approved().filter(version=F("newest"))

    def open_first(self) -> "SuiteQuerySet":
        """Boards that still take models before those that have ended, the oldest of equals first."""
        ended = models.Case(models.When(ends_at__lte=Now(), then=1), default=0, output_field=models.IntegerField())
        return self.order_by(ended, "id")

    def waiting(self) -> "SuiteQuerySet":
        """Proposals that nobody has decided on, the oldest first."""
        return self.filter(standing=Standing.PROPOSED).order_by("id")


class Suite(Reviewed):
    """A named board: the benchmarks that a model must have a score of to be ranked.

    Its benchmarks and weights never change: whoever wants others proposes another version under the same slug. After
    `ends_at` only scores count that were asked for before.
    """

    slug = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=120)
    title_zh = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    description_zh = models.TextField(blank=True)
    benchmarks = models.ManyToManyField(Benchmark, through="SuiteEntry", related_name="suites")
    proposed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    newest: int  # the number of the newest approved version, as `approved` adds it

    objects = SuiteQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            # Among approved ones alone: a proposal must not tell that there is another one of its name.
            models.UniqueConstraint(
                fields=("slug", "version"), condition=Q(standing="approved"), name="suite_version_once"
            ),
        )
        indexes = (
            models.Index(fields=("slug", "-version"), name="suite_versions"),
            models.Index(fields=("standing", "id"), name="suite_waiting"),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The board; of what is not approved, the page of the proposal."""
        return f"/leaderboard/{self.slug}" if self.is_approved else f"/leaderboard/proposals/{self.pk}"

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()

    @property
    def state(self) -> str:
        """In one word: proposed, refused, open or ended."""
        if not self.is_approved:
            return str(self.standing)
        return "ended" if self.has_ended else "open"

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
