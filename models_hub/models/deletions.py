"""Deleted repositories whose owners may still want them back."""

from django.db import models

from models_hub.models.repos import Repo
from portal.models import User


class Deletion(models.Model):
    """A repository was deleted and is kept for some days, out of everybody's sight and without its name."""

    repo = models.OneToOneField(Repo, models.CASCADE, related_name="deletion")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_index=True)
    was_private = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.repo_id} deleted at {self.at}"
