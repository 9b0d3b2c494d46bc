"""The words of posts, from which they are found; the database keeps its own index over them (see migration 0003)."""

from django.db import models

from forum.models.posts import Post


class PostWords(models.Model):
    """The words of one post, made under the version `rules` of the rules of forum/indexing.py.

    An opening post has its topic's title in `title`, and in `words` too. Before the words stand marks of where the post
    is and by whom (forum/indexing.py).
    """

    post = models.OneToOneField(Post, models.CASCADE, primary_key=True, related_name="found_by")
    title = models.TextField(blank=True, default="")
    words = models.TextField(blank=True, default="")
    rules = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"words of {self.pk}"
