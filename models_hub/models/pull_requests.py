"""Pull requests: proposed changes to a repository, and the numbers that they share with its discussions."""

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from models_hub.models.repos import DEFAULT_BRANCH, Repo
from portal.models import User

PULLS = "refs/pr/"


class PullRequest(models.Model):
    """A change that waits for a writer of the repository. Its commits are those of the reference `refs/pr/<number>`.

    `merge_commit` and `merged_onto` are set by the merge: the commit that brought the change into the base branch,
    and the commit where the base branch stood before it.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")
        MERGED = "merged", _("merged")

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="pull_requests")
    number = models.PositiveIntegerField()
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="pull_requests")
    base = models.CharField(max_length=200, default=DEFAULT_BRANCH)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.DRAFT)
    merge_commit = models.CharField(max_length=40, blank=True)
    merged_onto = models.CharField(max_length=40, blank=True)
    merged_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # Who sent commits to it; like the author's, their approval of what they wrote themselves counts for nothing.
    pushers = models.ManyToManyField(User, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "number"), name="pull_request_number_once"),)
        indexes = (models.Index(fields=("repo", "author", "status"), name="pull_request_of_author"),)

    def __str__(self) -> str:
        return f"{self.repo_id}#{self.number}"

    @property
    def ref(self) -> str:
        """The full name of the reference that holds the proposed commits."""
        return f"{PULLS}{self.number}"

    @property
    def is_live(self) -> bool:
        """Whether the change may still grow and be merged."""
        return self.status in (self.Status.DRAFT, self.Status.OPEN)


class Numbering(models.Model):
    """The last number given in a repository: discussions and pull requests count together."""

    repo = models.OneToOneField(Repo, models.CASCADE, related_name="numbering")
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.repo_id}: {self.last}"

    @classmethod
    def take(cls, repo: Repo) -> int:
        """Return the next number. The row stays locked until the caller's transaction ends, so that none is lost."""
        cls.objects.get_or_create(repo=repo)
        cls.objects.filter(repo=repo).update(last=F("last") + 1)
        return cls.objects.get(repo=repo).last


class Proposer(models.Model):
    """What one person without the right to write has sent to one repository for pull requests."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="proposers")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    sent = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "user"), name="proposer_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.repo_id}: {self.sent}"


def pull_number(ref: str) -> int | None:
    """Return the number of the pull request whose reference this is, None for another reference."""
    number = ref.removeprefix(PULLS)
    return int(number) if ref.startswith(PULLS) and number.isascii() and number.isdigit() and len(number) < 10 else None
