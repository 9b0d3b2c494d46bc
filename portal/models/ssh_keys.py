"""Public keys by which git knows a person over SSH."""

from datetime import datetime, timedelta

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import origin, public_keys
from portal.errors import Conflict, InvalidInput
from portal.models.accounts import User
from portal.models.audit import AuditEntry
from portal.models.moderation import of_working
from portal.models.outbox import Event

MAX_KEYS = 50  # of one person
MAX_NAME = 80
TOUCH_EVERY = timedelta(minutes=1)


class SshKey(models.Model):
    """One public key: it lets its owner in to git over SSH, and nowhere else."""

    user = models.ForeignKey(User, models.CASCADE, related_name="ssh_keys")
    name = models.CharField(_("name"), max_length=MAX_NAME)
    type = models.CharField(max_length=40)
    # A key tells who comes, so that no two accounts may have the same one.
    fingerprint = models.CharField(max_length=60, unique=True)
    text = models.TextField()
    read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_address = models.CharField(max_length=45, blank=True, default="", editable=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.fingerprint})"

    @classmethod
    def add(cls, *, user: User, text: str, name: str = "", read_only: bool = False) -> "SshKey":
        """Let a public key in; without a name its comment is taken. Raises KeyRefused, InvalidInput or Conflict."""
        key = public_keys.read(text)
        name = name.strip() or key.comment
        if not name or len(name) > MAX_NAME:
            raise InvalidInput(gettext("Give the key a name of 1 to %(max)d characters.") % {"max": MAX_NAME})
        if cls.objects.filter(user=user).count() >= MAX_KEYS:
            raise InvalidInput(gettext("An account may have at most %(max)d SSH keys.") % {"max": MAX_KEYS})
        values = {"type": key.type, "fingerprint": key.fingerprint, "text": key.text, "read_only": read_only}
        try:
            with transaction.atomic():
                row = cls.objects.create(user=user, name=name, **values)
                Event.record("ssh_key.added", subject=f"ssh_key:{row.pk}", by=user, name=name)
        except IntegrityError as error:
            if cls.objects.filter(user=user, fingerprint=key.fingerprint).exists():
                raise Conflict(gettext("You have added this key already.")) from error
            raise Conflict(gettext("This key belongs to another account. Make one of its own for this one.")) from error
        return row

    @classmethod
    def opened(cls, **known: object) -> "SshKey | None":
        """Return the key with these values when it opens something at this moment."""
        return of_working(cls.objects.select_related("user")).filter(**known).first()

    def note_use(self) -> None:
        """Note that somebody came in with it, at most once a minute; the audit list tells of each new address."""
        address, now = origin.current().address, timezone.now()
        if self.last_used_at and now - self.last_used_at <= TOUCH_EVERY and address == self.last_address:
            return
        if self.last_address and address != self.last_address:
            seen = AuditEntry.objects.filter(subject=f"ssh_key:{self.pk}", address=address)
            if not seen.filter(kind="ssh_key.used_elsewhere").exists():
                AuditEntry.note(
                    "ssh_key.used_elsewhere",
                    account=self.user,
                    by=self.user,
                    subject=f"ssh_key:{self.pk}",
                    name=self.name,
                )
        self._touch(now, address)

    def _touch(self, now: datetime, address: str) -> None:
        type(self).objects.filter(pk=self.pk).update(last_used_at=now, last_address=address)
        self.last_used_at, self.last_address = now, address

    def remove(self) -> None:
        """End this key at once; a second call changes nothing."""
        with transaction.atomic():
            if type(self).objects.filter(pk=self.pk).delete()[0]:
                Event.record("ssh_key.removed", subject=f"ssh_key:{self.pk}", by=self.user, name=self.name)
