"""Topics: conversations, of which those about a repository bear one of its numbers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_hub.models import Repo
from portal.models import User

MAX_TITLE = 300


class TopicQuerySet(models.QuerySet["Topic"]):
    def of(self, repo: Repo) -> "TopicQuerySet":
        return self.filter(repo=repo, deleted_at__isnull=True)

    def live(self) -> "TopicQuerySet":
        """Those that wait for somebody: open ones and drafts."""
        return self.filter(status__in=LIVE)

    def over(self) -> "TopicQuerySet":
        return self.exclude(status__in=LIVE)

    def newest(self) -> "TopicQuerySet":
        return self.select_related("author").order_by("-number")


class Topic(models.Model):
    """One conversation. A pull request's status is a copy of the change's own, so that lists need no join.

    Posts are numbered from 1 without reuse; `last_number` is the highest number given and `comments` counts what
    people said after the opening post.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DRAFT = "draft", _("draft")
        CLOSED = "closed", _("closed")
        MERGED = "merged", _("merged")

    repo = models.ForeignKey(Repo, models.CASCADE, null=True, blank=True, related_name="topics")
    number = models.PositiveIntegerField(null=True, blank=True)
    is_pull_request = models.BooleanField(default=False)
    title = models.CharField(max_length=MAX_TITLE)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="topics")
    created_at = models.DateTimeField(auto_now_add=True)
    last_number = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    last_post_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = TopicQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("repo", "number"), name="topic_number_once"),
            models.CheckConstraint(
                condition=models.Q(repo__isnull=True, number__isnull=True)
                | models.Q(repo__isnull=False, number__isnull=False),
                name="topic_number_of_repo",
            ),
        )
        indexes = (models.Index(fields=("repo", "status", "-number"), name="topic_repo_status"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


LIVE = (Topic.Status.OPEN, Topic.Status.DRAFT)
