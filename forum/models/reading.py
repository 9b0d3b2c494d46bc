"""What each reader has read, and how much of it each wants to hear of."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from forum.models.categories import Category
from forum.models.topics import Topic
from portal.models import User


class Level(models.IntegerChoices):
    """How much somebody hears: nothing, only what names the person, a count of unread posts, or every post."""

    MUTED = 0, _("muted")
    NORMAL = 1, _("normal")
    TRACKING = 2, _("tracking")
    WATCHING = 3, _("watching")


class TopicReader(models.Model):
    """How far a person has read a topic, and at which level the person follows it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="topics_read")
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="readers")
    last_read = models.PositiveIntegerField(default=0)  # a number of a post
    level = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.NORMAL)
    visited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "topic"), name="topic_reader_once"),)
        indexes = (
            models.Index(fields=("topic",), name="topic_watchers", condition=models.Q(level=Level.WATCHING)),
            models.Index(
                fields=("user", "topic"), name="topics_tracked", condition=models.Q(level__gte=Level.TRACKING)
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} has read {self.topic_id} to {self.last_read}"


class CategoryReader(models.Model):
    """At which level a person follows a category, and up to which post all of it counts as read."""

    user = models.ForeignKey(User, models.CASCADE, related_name="categories_read")
    category = models.ForeignKey(Category, models.CASCADE, related_name="category_readers")
    level = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.NORMAL)
    read_floor = models.BigIntegerField(default=0)  # an id of a post

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "category"), name="category_reader_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} follows {self.category_id}"


class Reader(models.Model):
    """Where a person's unread topics begin: nothing with an older last post is unread. Only an aid of queries."""

    user = models.OneToOneField(User, models.CASCADE, related_name="reader", primary_key=True)
    unread_floor = models.BigIntegerField(default=0)  # an id of a post
    seen_at = models.DateTimeField(null=True)  # the end of the visit before this one: "new" begins here
    active_at = models.DateTimeField(null=True, db_index=True)  # the last sign of life

    def __str__(self) -> str:
        return f"reader {self.pk}"


class Ignoring(models.Model):
    """A person does not want to hear of another."""

    user = models.ForeignKey(User, models.CASCADE, related_name="ignoring")
    ignored = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "ignored"), name="ignore_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} ignores {self.ignored_id}"
