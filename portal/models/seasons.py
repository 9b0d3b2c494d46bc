"""Seasons: quarters of a year, the points of each, who came where, and the five awards."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import User
from portal.models.reputation import Track


class Season(models.Model):
    """A quarter in UTC, half-open. Once closed, its points are computed no more."""

    slug = models.CharField(max_length=7, unique=True)  # "2026-Q4"
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-starts_at",)

    def __str__(self) -> str:
        return self.slug

    @property
    def is_over(self) -> bool:
        return self.ends_at <= timezone.now()


class SeasonPoints(models.Model):
    """What a person earned in a track within a season."""

    season = models.ForeignKey(Season, models.CASCADE, related_name="points")
    user = models.ForeignKey(User, models.CASCADE, related_name="season_points")
    track = models.CharField(max_length=12, choices=Track.choices)
    points = models.FloatField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("season", "user", "track"), name="season_points_once"),)
        indexes = (models.Index(fields=("season", "track", "-points", "user"), name="season_board"),)

    def __str__(self) -> str:
        return f"{self.points:.1f} of {self.user_id} in {self.season_id}"


class PlacingQuerySet(models.QuerySet["Placing"]):
    def final(self) -> "PlacingQuerySet":
        """Those that nobody objected to in time, and that were checked."""
        return self.filter(
            struck_at__isnull=True, objections_until__lte=timezone.now(), confirmed_by__isnull=False
        ) | self.filter(struck_at__isnull=True, kind=Placing.Kind.FRONT)


class Placing(models.Model):
    """Where a model came in a season: on the front of score and size, or in a challenge."""

    class Kind(models.TextChoices):
        FRONT = "front", _("score for its size")
        CHALLENGE = "challenge", _("challenge")

    season = models.ForeignKey(Season, models.CASCADE, related_name="placings")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    board = models.CharField(max_length=100)  # "chinese-v1 ≤1B", or what the challenge is called
    rank = models.PositiveSmallIntegerField()
    user = models.ForeignKey(User, models.CASCADE, related_name="placings")
    key = models.CharField(max_length=60)  # of the model, or of the evaluation with withheld rows
    code = models.CharField(max_length=60, blank=True)  # the repository with what made it
    objections_until = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    struck_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PlacingQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("season", "kind", "board", "user"), name="placing_once"),)
        indexes = (models.Index(fields=("season", "kind", "board", "rank"), name="placing_order"),)

    def __str__(self) -> str:
        return f"{self.rank} in {self.board}"


class Award(models.Model):
    """One of the five awards of a season, which staff give to one of the ten who were computed, and say why."""

    class Kind(models.TextChoices):
        MODEL = "model", _("Best Small Model")
        RECIPE = "recipe", _("Best Recipe")
        DATASET = "dataset", _("Best Data Set")
        REPRODUCTION = "reproduction", _("Best Reproduction")
        HELPER = "helper", _("Best Helper")

    season = models.ForeignKey(Season, models.CASCADE, related_name="awards")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    user = models.ForeignKey(User, models.CASCADE, related_name="awards")
    key = models.CharField(max_length=60)
    reason = models.CharField(max_length=500)
    given_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("season", "kind"), name="award_once"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.season_id}"
