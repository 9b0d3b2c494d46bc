"""The words of posts, from which they are found; the database keeps its own index over them (see migration 0003)."""

from django.db import models

from forum.models.posts import Post


class PostWords(models.Model):
    """The words of one post, made by models_hub/searching/words.py under the version `rules` of its rules.

    An opening post has its topic's title in `title`, and in `words` too.
    """

    post = models.OneToOneField(Post, models.CASCADE, primary_key=True, related_name="found_by")
    title = models.TextField(blank=True, default="")
    words = models.TextField(blank=True, default="")
    rules = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=("post",), name="words_of_titles", condition=~models.Q(title="")),)

    def __str__(self) -> str:
        return f"words of {self.pk}"
