"""What readers put on posts and keep for themselves: reactions, bookmarks, drafts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from forum.models.posts import Post
from portal.models import User


class Reaction(models.Model):
    """One person's reaction to a post; the post keeps how many there are of each kind."""

    class Kind(models.TextChoices):
        LIKE = "like", _("like")
        THANKS = "thanks", _("thanks")
        INSIGHT = "insight", _("insightful")
        CELEBRATE = "celebrate", _("celebrate")
        CONFUSED = "confused", _("not clear to me")

    post = models.ForeignKey(Post, models.CASCADE, related_name="reaction_rows")
    user = models.ForeignKey(User, models.CASCADE, related_name="reactions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("post", "user", "kind"), name="reaction_once"),)
        indexes = (models.Index(fields=("user", "-id"), name="reaction_of_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.post_id}"


class Bookmark(models.Model):
    """A post that a person wants to find again, perhaps at a time."""

    user = models.ForeignKey(User, models.CASCADE, related_name="bookmarks")
    post = models.ForeignKey(Post, models.CASCADE, related_name="bookmarks")
    note = models.CharField(max_length=200, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "post"), name="bookmark_once"),)
        indexes = (
            models.Index(fields=("remind_at",), name="bookmark_due", condition=models.Q(remind_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.user_id} keeps {self.post_id}"


class Draft(models.Model):
    """An unfinished text. `key` says of what: "new", "topic:7", "post:9"; `sequence` counts its savings."""

    user = models.ForeignKey(User, models.CASCADE, related_name="drafts")
    key = models.CharField(max_length=60)
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    sequence = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="draft_once"),)

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"
