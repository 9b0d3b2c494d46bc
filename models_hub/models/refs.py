"""Branches, tags and pull-request heads: names for commits, moved by compare-and-swap."""

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub.models.objects import Commit
from models_hub.models.pull_requests import pull_number
from models_hub.models.repos import Repo
from portal.errors import StaleParent

HEADS = "refs/heads/"
TAGS = "refs/tags/"


class Ref(models.Model):
    """A full git reference name and the commit it points to."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="refs")
    name = models.CharField(max_length=255)
    oid = models.CharField(max_length=40)
    message = models.TextField(blank=True)
    # The id of the annotated tag's own object; empty for branches and plain tags.
    tag_oid = models.CharField(max_length=40, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "name"), name="ref_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        return self.name.removeprefix(HEADS).removeprefix(TAGS)

    @classmethod
    def move(cls, repo: Repo, name: str, *, expected: str | None, new: str) -> None:
        """Point `name` to commit `new` if it still points to `expected` (None: it must not exist yet)."""
        if expected is None:
            try:
                with transaction.atomic():
                    cls.objects.create(repo=repo, name=name, oid=new).require_commit()
                return
            except IntegrityError as error:
                raise StaleParent(stale()) from error
        found = cls.objects.filter(repo=repo, name=name, oid=expected)
        if not found.update(oid=new, updated_at=timezone.now()):
            raise StaleParent(stale())
        cls(repo=repo, oid=new).require_commit()

    def require_commit(self) -> None:
        """Refuse to name a commit that the collector took while nothing led to it; call it after the row is written."""
        if not Commit.objects.filter(repo_id=self.repo_id, oid=self.oid).exists():
            raise StaleParent(stale())


def full_name(branch: str) -> str:
    """Return the reference that a branch's name, or a pull request's full reference, stands for."""
    return branch if pull_number(branch) is not None else HEADS + branch


def stale() -> str:
    """Return the text by which clients of the Hub know a lost race."""
    return _("The branch was updated since you opened this page. Please refresh and try again.")
