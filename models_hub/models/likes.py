"""Likes: who finds a repository worth remembering."""

from django.db import models

from models_hub.models.repos import Repo
from portal.models import User


class Like(models.Model):
    """One person's like of one repository; `Repo.likes` counts them."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="like_rows")
    user = models.ForeignKey(User, models.CASCADE, related_name="likes")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "user"), name="like_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.repo_id}"
