"""What moderation has restricted: repositories by a ladder, and content that may not come back."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from models_hub.models.repos import Repo
from portal.models import Decision, Reason


class Restriction(models.Model):
    """How far a repository is restricted now. Each level has the effects of those below it.

    A table of its own, whose row is loaded with the repository: see `permissions.can_download` for what is read,
    `RepoQuerySet.listed` for what lists leave out.
    """

    class Level(models.IntegerChoices):
        LABEL = 0, _("bears a warning")
        UNRANK = 1, _("is off lists, search and boards")
        GATE = 2, _("may be downloaded only by who is signed in and agrees")
        DISABLE = 3, _("is disabled")
        QUARANTINE = 4, _("is in quarantine")
        PURGE = 5, _("was deleted for good")

    repo = models.OneToOneField(Repo, models.CASCADE, primary_key=True, related_name="restriction")
    level = models.PositiveSmallIntegerField(choices=Level.choices)
    reason = models.CharField(max_length=13, choices=Reason.choices)
    text = models.TextField(blank=True)  # what readers are told
    since = models.DateTimeField()
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")
    gate_before = models.CharField(max_length=6, blank=True, default="")  # what the owner had chosen

    class Meta:
        indexes = (models.Index(fields=("repo",), name="restriction_unlisted", condition=Q(level__gte=1)),)

    def __str__(self) -> str:
        return f"{self.repo_id} at level {self.level}"

    @property
    def is_tombstone(self) -> bool:
        return self.level >= self.Level.DISABLE

    @property
    def is_for_law(self) -> bool:
        """Whether somebody's right, and not its quality or danger, is why."""
        return self.reason in {Reason.LICENCE, Reason.COPYRIGHT, Reason.PRIVACY}


class BlockedDigest(models.Model):
    """Content that was purged: the same bytes are refused, on every way in."""

    sha256 = models.CharField(max_length=64, unique=True)
    git_oid = models.CharField(max_length=40, blank=True, default="", db_default="")  # where git could hold it
    reason = models.CharField(max_length=13, choices=Reason.choices)
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("git_oid",), name="blocked_in_git", condition=~Q(git_oid="")),)

    def __str__(self) -> str:
        return self.sha256
