"""What comes from elsewhere: copies that follow an upstream hub, content that is still there, and imports."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_hub.models.contents import Blob, RepoBlob
from models_hub.models.repos import Repo
from portal.models import Job, User


class Mirror(models.Model):
    """How a repository of a mirrored namespace follows the repository of the same name on the upstream hub."""

    repo = models.OneToOneField(Repo, models.CASCADE, related_name="mirror")
    upstream = models.CharField(_("upstream hub"), max_length=300)
    # When the upstream was last asked, in vain or not; and when what is here was last known to be what is there.
    checked_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    # Why the last question brought nothing, in English: translated where it is shown.
    problem = models.TextField(blank=True)
    gone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """The page of the repository on the upstream hub."""
        return f"{self.upstream}{self.repo.path}"


class AwaitedBlob(models.Model):
    """Large content that a mirror's history names and whose bytes are with the upstream hub alone.

    What was here once and was let go still has what its header told: see Blob.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="awaited")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    pointer_oid = models.CharField(max_length=40)
    dtypes = models.JSONField(null=True)
    header = models.JSONField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "pointer_oid"), name="awaited_once"),)
        indexes = (models.Index(fields=("repo", "sha256"), name="awaited_sha256"),)

    def __str__(self) -> str:
        return f"{self.repo_id}: {self.sha256}"

    def as_blob(self) -> Blob:
        """Return a blob that is no row yet; reading it fetches the bytes."""
        told = {"dtypes": self.dtypes, "header": self.header}
        blob = Blob(sha256=self.sha256, size=self.size, pointer_oid=self.pointer_oid, **told)
        blob.awaited_by = self.repo
        return blob


class ContentUse(models.Model):
    """When somebody last asked for a mirror's copy of large content: of too many, the least used are let go."""

    right = models.OneToOneField(RepoBlob, models.CASCADE, related_name="use")
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.right_id} {self.used_at:%Y-%m-%d %H:%M}"


class Import(models.Model):
    """A repository that is, or was, copied once from another hub; it is private until the copy is complete."""

    repo = models.OneToOneField(Repo, models.CASCADE, related_name="origin")
    upstream = models.CharField(max_length=300)
    source = models.CharField(max_length=200)
    revisions = models.JSONField(default=list)
    private = models.BooleanField(default=False)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.upstream}/{self.source}"
