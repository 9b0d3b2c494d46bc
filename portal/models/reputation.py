"""Reputation: a ledger of what others, or measurements, said of people's work. Lines are added, never changed."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import User


class Track(models.TextChoices):
    """The five fields in which people earn reputation and tiers."""

    MODELS = "models", _("Models")
    EVALS = "evals", _("Evaluations")
    DATA = "data", _("Data")
    HELP = "help", _("Help")
    STEWARDSHIP = "stewardship", _("Stewardship")


class ReputationLine(models.Model):
    """One line of the ledger. A line that takes another back names it, and both stay to be seen.

    `key` is the evidence, as portal/subjects.py knows it; `weight` is what the giver's trust gave it then.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="reputation_lines")
    track = models.CharField(max_length=12, choices=Track.choices)
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=60)
    giver = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    points = models.FloatField()
    weight = models.FloatField(default=1)
    at = models.DateTimeField()  # when the act was done that earned it
    reverses = models.OneToOneField("self", models.CASCADE, null=True, blank=True, related_name="reversal")
    reason = models.CharField(max_length=200, blank=True)  # English, translated where it is shown
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            # What was taken back may be given again: then there is a line more, and a reversal more.
            models.CheckConstraint(
                condition=Q(reverses__isnull=True, points__gte=0) | Q(reverses__isnull=False, points__lte=0),
                name="reputation_reversal_is_negative",
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="reputation_of_user"),
            models.Index(fields=("user", "track", "-at"), name="reputation_of_track"),
            models.Index(fields=("giver", "-at"), name="reputation_by_giver"),
            models.Index(fields=("at",), name="reputation_at"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"


class Reputation(models.Model):
    """What the ledger comes to, with its decay and its caps; thrown away and computed anew each night."""

    user = models.ForeignKey(User, models.CASCADE, related_name="reputation")
    track = models.CharField(max_length=12, choices=Track.choices)
    points = models.FloatField()
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "track"), name="reputation_once"),)
        indexes = (models.Index(fields=("track", "-points", "user"), name="reputation_board"),)

    def __str__(self) -> str:
        return f"{self.points:.1f} of {self.user_id} in {self.track}"
