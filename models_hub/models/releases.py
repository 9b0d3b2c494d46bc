"""Releases: tags that their repository's people have said something about."""

from django.db import models
from django.urls import reverse

from models_hub.models.refs import Ref
from models_hub.models.repos import Repo
from portal.models import User


class Release(models.Model):
    """What is new in a version. It hangs on its tag: whoever deletes the tag, be it with git, deletes the notes.

    `rank` orders semantic versions as text, final ones after their previews; "" for a tag that is none.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="releases")
    tag = models.OneToOneField(Ref, models.CASCADE, related_name="release")
    title = models.CharField(max_length=300, blank=True)
    notes = models.TextField(blank=True)
    rank = models.CharField(max_length=40, blank=True)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("repo", "-id"), name="release_newest"),
            models.Index(fields=("repo", "-rank", "-id"), name="release_latest"),
        )

    def __str__(self) -> str:
        return f"{self.repo_id}: {self.tag.short_name}"

    def get_absolute_url(self) -> str:
        """The page of the release."""
        place = {"namespace": self.repo.namespace.name, "name": self.repo.name, "tag": self.tag.short_name}
        return reverse(f"{self.repo.kind}_release", kwargs=place)
