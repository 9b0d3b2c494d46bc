"""Trusted publishers: programs elsewhere that publish without a stored secret, because an issuer vouches for them."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import Namespace, User
from portal.reach import Level

# The claim that says whose program it is, by provider.
MAIN_CLAIMS = {"github": "repository", "gitlab": "project_path", "other": "sub"}


class TrustedPublisher(models.Model):
    """Who may exchange a signed statement of an issuer for a token of one repository.

    The token acts for the person who trusted the publisher, within that repository. `claims` are what the statement
    must say, `pinned` are the ids that it said the first time: a name may pass to somebody else, an id never does.
    """

    class Provider(models.TextChoices):
        GITHUB = "github", _("GitHub Actions")
        GITLAB = "gitlab", _("GitLab CI/CD")
        OTHER = "other", _("another issuer")

    class Levels(models.IntegerChoices):
        READ = Level.READ.value, _("read")
        WRITE = Level.WRITE.value, _("write")

    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="publishers")
    # An id, not a key: repositories belong to the layer above. Null stands for every repository of the namespace.
    repo_id = models.BigIntegerField(null=True)
    provider = models.CharField(_("where the program runs"), max_length=6, choices=Provider.choices)
    issuer = models.CharField(_("issuer"), max_length=300)
    audience = models.CharField(_("audience"), max_length=300)
    claims = models.JSONField(default=dict)
    pinned = models.JSONField(default=dict)
    level = models.PositiveSmallIntegerField(_("it may"), choices=Levels.choices, default=Levels.WRITE)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="trusted_publishers")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    # The last time that its repository elsewhere was refused, and which claim was to blame.
    refused_at = models.DateTimeField(null=True)
    refused_claim = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("namespace", "repo_id"), name="publisher_of_repo"),
            models.Index(fields=("issuer",), name="publisher_issuer"),
        )

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.home}"

    @property
    def home(self) -> str:
        """What runs the program, as its provider names it."""
        return str(self.claims[MAIN_CLAIMS[self.provider]])


class SpentStatement(models.Model):
    """A statement that was exchanged: it is good once. Kept for as long as it would be good."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest

    @classmethod
    def forget_over(cls) -> None:
        """Remove those that have expired, with an hour for clocks that go wrong."""
        cls.objects.filter(expires_at__lt=timezone.now() - timedelta(hours=1)).delete()
