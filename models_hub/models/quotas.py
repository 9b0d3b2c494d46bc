"""The quota ledger: what each owner holds, entry by entry, and the sum of the entries."""

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from models_hub.models.contents import Xorb
from models_hub.models.repos import Repo
from portal.models import Event, Namespace, User


class QuotaAccount(models.Model):
    """What one owner holds now: always the sum of its entries. Its row is the lock that writers of the owner share."""

    namespace = models.OneToOneField(Namespace, models.CASCADE, related_name="quota")
    used = models.BigIntegerField(_("bytes used"), default=0)
    limit = models.BigIntegerField(
        _("limit in bytes"), null=True, blank=True, help_text=_("Empty: the limit of the installation.")
    )

    def __str__(self) -> str:
        return self.namespace.name

    @property
    def limit_now(self) -> int:
        return int(settings.STORAGE_LIMIT_BYTES if self.limit is None else self.limit)

    @property
    def room(self) -> int:
        return max(self.limit_now - self.used, 0)

    def set_limit(self, limit: int | None, *, by: User) -> None:
        """Give the owner a limit of its own, or with None that of the installation."""
        self.limit = limit
        with transaction.atomic():
            self.save(update_fields=("limit",))
            Event.record("quota.limit_changed", subject=f"namespace:{self.namespace_id}", by=by, limit=limit)


class QuotaEntry(models.Model):
    """One change of what an owner holds. Entries are added and never changed."""

    class Reason(models.TextChoices):
        CONTENT = "content", _("large files")
        GIT = "git", _("history and small files")
        UPLOAD = "upload", _("uploads that no file uses yet")
        MOVED = "moved", _("repository moved")
        DELETED = "deleted", _("repository deleted")
        COLLECTED = "collected", _("unused data removed")
        OPENING = "opening", _("held when counting began")
        CORRECTED = "corrected", _("corrected by a recount")

    account = models.ForeignKey(QuotaAccount, models.CASCADE, related_name="entries")
    # Entries outlive their repository.
    repo = models.ForeignKey(Repo, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "quota entries"

    def __str__(self) -> str:
        return f"{self.reason}: {self.bytes:+d}"


class XorbHolding(models.Model):
    """An owner's answer for the bytes of a xorb that was sent for it and that its files do not use: `unused` of them.

    Whether others sent the same xorb makes no difference, so the ledger tells nobody what others hold.
    `touched_at` is when it was last sent or used for this owner.
    """

    xorb = models.ForeignKey(Xorb, models.CASCADE, related_name="holdings")
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="+")
    unused = models.BigIntegerField()
    touched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("xorb", "namespace"), name="xorb_holding_once"),)

    def __str__(self) -> str:
        return f"{self.xorb_id}: {self.unused}"


class Reservation(models.Model):
    """Room set aside for a large upload of which parts have come; it ends when they are joined or given up."""

    key = models.CharField(max_length=64, unique=True)
    repo = models.ForeignKey(Repo, models.CASCADE, related_name="reservations")
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.repo_id}: {self.bytes}"
