"""Evaluations that moderation took off the boards."""

from django.db import models

from leaderboard.models.evaluations import Evaluation
from portal.models import Decision


class ScoreRemoval(models.Model):
    """An evaluation no longer ranks. It stays readable, with the reason."""

    evaluation = models.OneToOneField(Evaluation, models.CASCADE, primary_key=True, related_name="removal")
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"evaluation {self.evaluation_id} off boards"
