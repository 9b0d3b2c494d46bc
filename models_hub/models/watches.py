"""Who wants to hear of what happens in which repository."""

from django.db import models

from models_hub.models.repos import Repo
from portal.models import User


class Watch(models.Model):
    """One person watches one repository."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="watches")
    user = models.ForeignKey(User, models.CASCADE, related_name="watches")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "repo"), name="watch_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.repo_id}"
