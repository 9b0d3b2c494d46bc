"""Topics: conversations, of which those about a repository bear one of its numbers and the others have a category."""

from django.db import models
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from forum.models.categories import Category
from models_hub.models import Repo
from portal.models import Asker, User

MAX_TITLE = 300
# Topics of the forum that anybody who sees their category may see.
LISTED = Q(category__isnull=False, deleted_at__isnull=True, hidden_at__isnull=True, held_at__isnull=True)


def _shown_to(reader: Asker | None) -> Q:
    shown = Q(hidden_at__isnull=True, held_at__isnull=True)
    return shown | Q(author_id=reader.pk) if reader is not None and reader.is_authenticated else shown


class TopicQuerySet(models.QuerySet["Topic"]):
    def of(self, repo: Repo, reader: Asker | None = None) -> "TopicQuerySet":
        """Topics about a repository that the reader sees: what waits or is hidden, its author and staff."""
        there = self.filter(repo=repo, deleted_at__isnull=True)
        return there if reader is not None and reader.is_staff else there.filter(_shown_to(reader))

    def visible_to(self, reader: Asker) -> "TopicQuerySet":
        """Topics of repositories and categories that the reader sees; what waits or is hidden, its author and staff."""
        placed = Q(repo__in=Repo.objects.visible_to(reader)) | Q(category__in=Category.objects.visible_to(reader))
        return self.filter(placed)._shown_to(reader)

    def in_forum(self, reader: Asker) -> "TopicQuerySet":
        """Those of categories alone: as visible_to has them, without the long question of repositories."""
        return self.filter(category__in=Category.objects.visible_to(reader))._shown_to(reader)

    def _shown_to(self, reader: Asker) -> "TopicQuerySet":
        there = self.filter(deleted_at__isnull=True)
        if reader.is_staff:
            return there
        shown = Q(hidden_at__isnull=True, held_at__isnull=True)
        if not reader.is_authenticated:
            return there.filter(shown)
        return there.filter(shown | Q(author_id=reader.pk))

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

    class Kind(models.TextChoices):
        DISCUSSION = "discussion", _("discussion")
        QUESTION = "question", _("question")
        ARTICLE = "article", _("article")

    repo = models.ForeignKey(Repo, models.CASCADE, null=True, blank=True, related_name="topics")
    number = models.PositiveIntegerField(null=True, blank=True)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="topics")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.DISCUSSION)
    is_pull_request = models.BooleanField(default=False)
    title = models.CharField(max_length=MAX_TITLE)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="topics")
    created_at = models.DateTimeField(auto_now_add=True)
    last_number = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    last_post_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    # What lists show without looking at posts. Their order is `last_post_id`, which only grows and is no two topics'.
    last_post = models.ForeignKey("forum.Post", models.SET_NULL, null=True, blank=True, related_name="+")
    last_poster = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    participants = models.JSONField(default=list, blank=True)  # ids of up to 4 people, the one who began first
    likes = models.PositiveIntegerField(default=0)
    views = models.PositiveIntegerField(default=0)
    # The answer that solved a question.
    accepted = models.ForeignKey("forum.Post", models.SET_NULL, null=True, blank=True, related_name="+")
    # What the conversation is about, as a key of portal/subjects.py: "evaluation:7"; empty for none.
    about = models.CharField(max_length=60, blank=True, default="", db_index=True)
    # Until when it stands on top of its category, and whether on top of the forum.
    pinned_until = models.DateTimeField(null=True, blank=True)
    pinned_everywhere = models.BooleanField(default=False)
    slow_seconds = models.PositiveIntegerField(default=0)
    closes_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)  # by moderation
    held_at = models.DateTimeField(null=True, blank=True)  # waits for somebody to let it in
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TopicQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("repo", "number"), name="topic_number_once"),
            models.CheckConstraint(
                condition=models.Q(repo__isnull=True, number__isnull=True)
                | models.Q(repo__isnull=False, number__isnull=False),
                name="topic_number_of_repo",
            ),
            models.CheckConstraint(
                condition=models.Q(repo__isnull=True) | models.Q(category__isnull=True), name="topic_in_one_place"
            ),
        )
        indexes = (
            models.Index(fields=("repo", "status", "-number"), name="topic_repo_status"),
            models.Index(fields=("category", "-last_post"), name="topic_of_category", condition=LISTED),
            models.Index(fields=("-last_post",), name="topic_latest", condition=LISTED),
            models.Index(fields=("author", "-id"), name="topic_of_author"),
            models.Index(fields=("-last_post",), name="topic_questions", condition=LISTED & Q(kind="question")),
            models.Index(fields=("-likes", "-id"), name="topic_top", condition=LISTED & Q(likes__gt=0)),
            models.Index(fields=("-id",), name="topic_newest", condition=LISTED),
            models.Index(fields=("pinned_until",), name="topic_pinned", condition=Q(pinned_until__isnull=False)),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def path(self) -> str:
        """The address of its page, without host. `repo` with its namespace must be loaded."""
        if self.repo is not None:
            return f"{self.repo.path}/discussions/{self.number}"
        return f"/forum/t/{self.pk}/{slugify(self.title)[:60]}".rstrip("/")

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


LIVE = (Topic.Status.OPEN, Topic.Status.DRAFT)
