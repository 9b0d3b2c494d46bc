"""Git objects as rows: commits, trees and small files under git's own ids."""

from django.db import models

from models_hub.models.repos import Repo
from portal.models import User


class GitObject(models.Model):
    """One object of one repository. `data` is the zlib-compressed body, `size` its length before compression.

    `unreachable_since` is when the collector first found no reference that leads to it; to write it again clears it.
    """

    class Type(models.IntegerChoices):
        COMMIT = 1
        TREE = 2
        BLOB = 3
        TAG = 4

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="objects_in_git")
    oid = models.CharField(max_length=40)
    type = models.PositiveSmallIntegerField(choices=Type.choices)
    size = models.PositiveBigIntegerField()
    data = models.BinaryField()
    unreachable_since = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "oid"), name="git_object_once"),)

    def __str__(self) -> str:
        return self.oid


class Commit(models.Model):
    """What lists and pages need of a commit object, so that they need not decode it."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="commits")
    oid = models.CharField(max_length=40)
    tree_oid = models.CharField(max_length=40)
    parents = models.JSONField(default=list)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    author_name = models.CharField(max_length=150)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    authored_at = models.DateTimeField()
    # sha256 over the paths and digests of all weight files: two commits with the same weights share their scores.
    weights_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "oid"), name="commit_once"),)
        # Parents have lower ids than their children: histories are read in this order.
        indexes = (
            models.Index(fields=("repo", "-id"), name="commit_newest"),
            models.Index(fields=("weights_digest",), name="commit_weights", condition=~models.Q(weights_digest="")),
        )

    def __str__(self) -> str:
        return f"{self.oid[:7]} {self.title}"
