"""What a machine found in the text of a card: kept, since reading a card takes long and many people ask."""

from django.db import models

from models_hub.models.repos import Repo


class CardReview(models.Model):
    """The card of one repository as it was at the commit `head`, read by the rules of version `rules`."""

    repo = models.OneToOneField(Repo, models.CASCADE, related_name="card_review", primary_key=True)
    head = models.CharField(max_length=40)
    rules = models.PositiveSmallIntegerField(default=0)
    steps_done = models.PositiveSmallIntegerField(default=0)
    steps = models.PositiveSmallIntegerField(default=0)
    found = models.JSONField(default=list)  # names of what the text has, see card_reviewing.py

    def __str__(self) -> str:
        return f"{self.steps_done} of {self.steps} of {self.repo_id}"
