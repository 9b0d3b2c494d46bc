"""Access tokens: shown once, stored as a hash, revocable."""

import hashlib
import secrets
import string
from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.errors import InvalidInput
from portal.models.accounts import User

PREFIX = "hf_"  # clients of the Hub protocol tell a token by this prefix
ALPHABET = string.ascii_letters + string.digits
LENGTH = 37  # 37 characters of 62 are 220 bits
TOUCH_EVERY = timedelta(minutes=1)


def digest_of(secret: str) -> str:
    """Return what is stored for a token: a fast hash is enough for 220 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def live(self) -> "AccessTokenQuerySet":
        """Tokens that still open something."""
        return self.filter(revoked_at__isnull=True)


class AccessToken(models.Model):
    """A person's key for programs, good for reading or for writing."""

    class Role(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("write")

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.READ)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @classmethod
    def issue(cls, *, user: User, name: str, role: str) -> tuple["AccessToken", str]:
        """Create a token and return it with its secret, which cannot be had again."""
        if role not in cls.Role.values:
            raise InvalidInput(gettext("Choose one of these roles: read, write."))
        if not name.strip() or len(name) > 80:
            raise InvalidInput(gettext("Give the token a name of 1 to 80 characters."))
        secret = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        token = cls.objects.create(user=user, name=name.strip(), role=role, digest=digest_of(secret), hint=secret[-4:])
        return token, secret

    @classmethod
    def find(cls, secret: str) -> "AccessToken | None":
        """Return the live token with this secret, noting its use at most once a minute."""
        if not secret.startswith(PREFIX) or len(secret) > 100:
            return None
        token = cls.objects.live().select_related("user").filter(digest=digest_of(secret), user__is_active=True).first()
        now = timezone.now()
        if token and (token.last_used_at is None or now - token.last_used_at > TOUCH_EVERY):
            cls.objects.filter(pk=token.pk).update(last_used_at=now)
        return token

    def revoke(self) -> None:
        """End this token at once; a second call changes nothing."""
        type(self).objects.filter(pk=self.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())

    @property
    def may_write(self) -> bool:
        return self.role == self.Role.WRITE
