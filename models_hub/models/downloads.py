"""Downloads: one for each caller, repository and day."""

from django.db import models

from models_hub.models.repos import Repo


class Download(models.Model):
    """Somebody downloaded a repository on a day. `caller` is a keyed digest of that day: it tells nobody's name."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    day = models.DateField()
    caller = models.CharField(max_length=32)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "day", "caller"), name="download_once"),)
        indexes = (models.Index(fields=("day",), name="download_day"),)

    def __str__(self) -> str:
        return f"{self.repo_id} on {self.day}"


class DownloadDay(models.Model):
    """How many different callers downloaded a repository on a day."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="download_days")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "day"), name="download_day_once"),)
        indexes = (models.Index(fields=("day", "repo"), name="download_day_repo"),)

    def __str__(self) -> str:
        return f"{self.count} of {self.repo_id} on {self.day}"
