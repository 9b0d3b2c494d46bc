"""Downloads: one for each caller, repository and day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from models_hub.models.repos import Repo


class Client(models.TextChoices):
    """What kind of program asked. The last two are counted apart: nobody got a model by them."""

    LIBRARY = "library", _("Python libraries")
    GIT = "git", "git"
    BROWSER = "browser", _("browsers")
    COMMAND = "command", _("curl and the like")
    OTHER = "other", _("other programs")
    BOT = "bot", _("crawlers")
    CHECK = "check", _("checks for a new version")


APART = (Client.BOT, Client.CHECK)


class Download(models.Model):
    """Somebody downloaded a repository on a day. `caller` is a keyed digest of that day: it tells nobody's name."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    day = models.DateField()
    caller = models.CharField(max_length=32)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "day", "caller"), name="download_once"),)
        indexes = (models.Index(fields=("day",), name="download_day"),)

    def __str__(self) -> str:
        return f"{self.repo_id} on {self.day}"


class DownloadDayQuerySet(models.QuerySet["DownloadDay"]):
    def counted(self) -> "DownloadDayQuerySet":
        """Those that are downloads, without what is counted apart."""
        return self.exclude(client__in=APART)


class DownloadDay(models.Model):
    """How many different callers downloaded a repository on a day by one kind of program."""

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="download_days")
    day = models.DateField()
    client = models.CharField(max_length=8, choices=Client.choices, default=Client.OTHER)
    count = models.PositiveIntegerField(default=0)

    objects = DownloadDayQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "day", "client"), name="download_day_client_once"),)
        indexes = (models.Index(fields=("day", "repo"), name="download_day_repo"),)

    def __str__(self) -> str:
        return f"{self.count} of {self.repo_id} on {self.day}"


class Downloader(models.Model):
    """Somebody downloaded a repository within 30 days that began on `window`: one row, however often.

    `caller` is a keyed digest of the repository and an account, else a network of addresses. After four months it goes.
    """

    repo = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    window = models.DateField()
    caller = models.CharField(max_length=32)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repo", "window", "caller"), name="downloader_once"),)
        indexes = (models.Index(fields=("window",), name="downloader_window"),)

    def __str__(self) -> str:
        return f"{self.repo_id} from {self.window}"
