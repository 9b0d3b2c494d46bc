"""The wish of a model's writers that its results are written to its repository by themselves."""

from django.db import models

from models_hub.models import Repo
from portal.models import User


class ResultsOrder(models.Model):
    """Each new result of a model is committed to it, at the wish and in the name of one of its writers."""

    model = models.OneToOneField(Repo, models.CASCADE, related_name="results_order")
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    refusal = models.TextField(blank=True)  # why the last result could not be written, "" when it was

    def __str__(self) -> str:
        return f"results order of {self.model}"
