"""Labels: the words that clients and pages filter repositories by."""

from django.db import models

from models_hub.models.repos import Repo


class Label(models.Model):
    """One word that describes a repository, in the Hub's spelling: `license:mit`, `en`, `dataset:imdb`.

    Rows, not a list on the repository: a filter over a million repositories must be able to use an index.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="labels")
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("repo", "text"), name="label_once"),)
        indexes = (models.Index(fields=("text", "repo"), name="label_text"),)

    def __str__(self) -> str:
        return self.text
