"""What hangs on a job: the repositories that it is about, and the lines of its log."""

from django.db import models
from django.db.models.functions import Now

MAX_LINE = 2000


class JobRepo(models.Model):
    """A repository that a job is about. An id, not a key: repositories belong to the layer above."""

    job = models.ForeignKey("portal.Job", models.CASCADE, related_name="repos")
    repo_id = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "repo_id"), name="job_repo_once"),)

    def __str__(self) -> str:
        return f"{self.job_id} about {self.repo_id}"


class JobLine(models.Model):
    """One line of a job's log. Ids of one job's lines grow, so a reader asks for what comes after the last one."""

    job = models.ForeignKey("portal.Job", models.CASCADE, related_name="lines")
    attempt = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=MAX_LINE)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("job", "id"), name="job_line"),)

    def __str__(self) -> str:
        return self.text
