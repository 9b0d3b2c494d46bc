"""Posts: what was said and what happened in a topic, in one numbered line."""

import hashlib

from django.db import models
from django.utils.translation import gettext_lazy as _

from forum.models.topics import Topic
from portal.models import Asker, User


def revision_of(text: str) -> str:
    """Return a name of 16 characters for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class PostQuerySet(models.QuerySet["Post"]):
    def shown_to(self, reader: Asker, *, moderates: bool = False) -> "PostQuerySet":
        """Posts of a topic that the reader sees: what waits to be let in, its author and those who keep order."""
        if moderates or reader.is_staff:
            return self
        shown = models.Q(held_at__isnull=True)
        return self.filter(shown | models.Q(author_id=reader.pk) if reader.is_authenticated else shown)


class Post(models.Model):
    """One entry of a topic: a comment, or a note of what was done, whose facts are in `data`.

    `html` is the text as `renderer`, a version of the renderer, showed it; 0 when it could only show it plain.
    """

    class Kind(models.TextChoices):
        COMMENT = "comment", _("comment")
        STATUS = "status-change", _("change of status")
        TITLE = "title-change", _("change of title")
        COMMIT = "commit", _("commit")
        REVIEW = "review", _("review")
        NOTE = "note", _("note of a moderator")

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="posts")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=13, choices=Kind.choices, default=Kind.COMMENT)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="posts")
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    renderer = models.PositiveSmallIntegerField(default=0)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    edited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    hidden_why = models.CharField(max_length=200, blank=True, default="")  # English, translated where it is shown
    held_at = models.DateTimeField(null=True, blank=True)  # waits for somebody to let it in
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replies")
    reactions = models.JSONField(default=dict, blank=True)  # how many of each kind

    objects = PostQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("topic", "number"), name="post_number_once"),)
        indexes = (models.Index(fields=("author", "-id"), name="post_of_author"),)

    def __str__(self) -> str:
        return f"{self.topic_id}:{self.number}"

    @property
    def path(self) -> str:
        """The address of the post on the page that has it; its topic must be loaded with its repository."""
        page = f"?post={self.number}" if self.topic.repo_id is None and self.number > 1 else ""
        return f"{self.topic.path}{page}#post-{self.number}"

    @property
    def revision(self) -> str:
        """Names its text: who changes it says what it said when the change was begun."""
        return revision_of(self.text)

    @property
    def is_comment(self) -> bool:
        return self.kind == self.Kind.COMMENT

    @property
    def is_hidden(self) -> bool:
        return self.hidden_at is not None


class PostVersion(models.Model):
    """What a post said before an edit, and who had written that."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="versions")
    text = models.TextField()
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
    withheld = models.BooleanField(default=False, db_default=False)  # it was hidden, and is no reader's any more

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.post_id} until edit {self.pk}"
