"""Tags of topics. The join carries the sort key of its topic, so that a tag's list is one range of one index."""

from django.db import models

from forum.models.topics import Topic


class Tag(models.Model):
    """A word that topics share, in lower case."""

    name = models.CharField(max_length=40, unique=True)
    topic_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class TopicTag(models.Model):
    """A topic bears a tag. `last_post_id` is a copy of the topic's."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="tag_links")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="topic_links")
    last_post_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("topic", "tag"), name="topic_tag_once"),)
        indexes = (models.Index(fields=("tag", "-last_post_id"), name="tag_latest"),)

    def __str__(self) -> str:
        return f"{self.topic_id} bears {self.tag_id}"
