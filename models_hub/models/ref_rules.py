"""Rules that protect branches and tags, and what reviewers say of pull requests."""

from fnmatch import fnmatchcase

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_hub.models.pull_requests import PullRequest
from models_hub.models.refs import HEADS, TAGS
from models_hub.models.repos import Repo
from portal.models import User

MAX_APPROVALS = 6


class RefRule(models.Model):
    """What may not be done to the branches, or tags, of a repository whose names match a pattern.

    All rules that match a name hold together. `people` are those whom “listed” means, here and there.
    """

    class Target(models.TextChoices):
        BRANCH = "branch", _("branches")
        TAG = "tag", _("tags")

    class Movers(models.TextChoices):
        WRITERS = "writers", _("everybody who may write")
        ADMINS = "admins", _("admins of the owner")
        LISTED = "listed", _("the people listed below")

    class Bypass(models.TextChoices):
        NOBODY = "nobody", _("nobody")
        ADMINS = "admins", _("admins of the owner")
        LISTED = "listed", _("the people listed below")

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="ref_rules")
    target = models.CharField(max_length=6, choices=Target.choices, default=Target.BRANCH)
    pattern = models.CharField(max_length=200)
    forbids_force = models.BooleanField(default=True)  # of a tag: to move it
    forbids_deletion = models.BooleanField(default=True)
    requires_pull_request = models.BooleanField(default=False)
    approvals = models.PositiveSmallIntegerField(default=0)
    is_linear = models.BooleanField(default=False)
    movers = models.CharField(max_length=7, choices=Movers.choices, default=Movers.WRITERS)
    bypass = models.CharField(max_length=7, choices=Bypass.choices, default=Bypass.NOBODY)
    people = models.ManyToManyField(User, related_name="+", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("target", "pattern")
        constraints = (models.UniqueConstraint(fields=("repo", "target", "pattern"), name="ref_rule_once"),)

    def __str__(self) -> str:
        return f"{self.target} {self.pattern}"

    @property
    def is_for_tags(self) -> bool:
        return self.target == self.Target.TAG

    @property
    def folder(self) -> str:
        """Where the references lie that the rule is about."""
        return TAGS if self.is_for_tags else HEADS

    def matches(self, name: str) -> bool:
        """Say whether the rule holds for the full name of a reference. A star stays within one part of a path."""
        if not name.startswith(self.folder):
            return False
        parts, wanted = name.removeprefix(self.folder).split("/"), self.pattern.split("/")
        return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


class Review(models.Model):
    """What somebody last said of a pull request, having seen its commit `oid`; newer commits put it in the past."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", _("approved")
        CHANGES = "changes", _("asked for changes")

    pull = models.ForeignKey(PullRequest, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    oid = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("pull", "reviewer"), name="review_once"),)

    def __str__(self) -> str:
        return f"{self.reviewer_id} {self.verdict} {self.pull_id}"
