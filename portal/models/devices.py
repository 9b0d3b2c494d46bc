"""Browsers that people signed in with: two accounts in one browser are hardly two people."""

import hashlib
import hmac

from django.conf import settings
from django.db import models
from django.utils import timezone

from portal.models.accounts import User


class Device(models.Model):
    """A person signed in with a browser that bears our cookie; only a keyed digest of it is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "digest"), name="device_once"),)
        indexes = (models.Index(fields=("digest",), name="device_shared"),)

    def __str__(self) -> str:
        return f"a browser of {self.user_id}"

    @classmethod
    def note(cls, user: User, cookie: str) -> None:
        """Remember that the person signed in with the browser of this cookie."""
        digest = hmac.new(settings.SECRET_KEY.encode(), f"device:{cookie}".encode(), hashlib.sha256).hexdigest()
        cls.objects.update_or_create(user=user, digest=digest, defaults={"seen_at": timezone.now()})
