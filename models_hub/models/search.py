"""What search reads: one document for each repository, and a trail of what changed for those who keep it in memory."""

from django.db import models
from django.utils import timezone

from models_hub.models.repos import Repo
from portal.models import User


class SearchDocument(models.Model):
    """The words of a repository, made by searching/words.py, so that every database finds the same.

    `name` has the words of its name alone, `words` those of all fields: name | tags | card, apart by bars. `text` is
    what excerpts are cut from. The index over it is the database's own: see migrations/0004_search_index.py.
    """

    repo = models.OneToOneField(Repo, models.CASCADE, primary_key=True, related_name="search_document")
    name = models.TextField()
    words = models.TextField()
    text = models.TextField(blank=True)
    rules = models.PositiveSmallIntegerField(default=0)  # the version of words.py that made it

    def __str__(self) -> str:
        return self.name


class CatalogueChange(models.Model):
    """Something that lists filter by has changed in a repository, or it came or went. Ids only grow."""

    repo_id = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.pk}: {self.repo_id}"


class CatalogueSnapshot(models.Model):
    """What the public repositories of a kind have, as bitmaps, for processes that start: see searching/snapshots.py."""

    kind = models.CharField(max_length=8, choices=Repo.Kind.choices, unique=True)
    position = models.BigIntegerField()  # true up to this change of the trail
    newest = models.BigIntegerField()  # the last change that was known when it was made
    made_by = models.CharField(max_length=32)  # which code
    made_at = models.DateTimeField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.kind} at {self.position}"


class SavedSearch(models.Model):
    """A list that somebody wants to come back to: its kind and its query string, under a name."""

    user = models.ForeignKey(User, models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Repo.Kind.choices)
    query = models.CharField(max_length=1000, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)  # what was created later is new to its owner
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("user", "kind", "name"), name="saved_search_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return f"/{self.kind}s?{self.query}" if self.query else f"/{self.kind}s"
