"""Locks of LFS: who works on a file that cannot be merged."""

from django.db import models

from models_hub.models.repos import Repo
from portal.models import User


class FileLock(models.Model):
    """A file of a repository that its owner asks others to leave alone; git-lfs refuses their pushes of it."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="file_locks")
    path = models.TextField()
    # Paths may be longer than an index can hold.
    path_digest = models.CharField(max_length=64)
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    locked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "path_digest"), name="file_lock_once"),)

    def __str__(self) -> str:
        return self.path
