"""Pictures that people and organizations have chosen. Small, so they live beside their names."""

import hashlib

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext

from portal import picture_formats
from portal.errors import InvalidInput, TooLarge
from portal.models.accounts import Namespace

MAX_BYTES = 512 * 1024
MAX_SIDE = 1024


class Avatar(models.Model):
    """The picture of one namespace, without its metadata."""

    namespace = models.OneToOneField(Namespace, models.CASCADE, related_name="avatar")
    format = models.CharField(max_length=4)
    digest = models.CharField(max_length=64)
    data = models.BinaryField()
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"picture of {self.namespace_id}"

    @classmethod
    def choose(cls, namespace: Namespace, data: bytes) -> "Avatar":
        """Take in a picture; what tells of its place and camera stays behind."""
        if len(data) > MAX_BYTES:
            raise TooLarge(gettext("The picture may have at most %(kb)d KB.") % {"kb": MAX_BYTES // 1024})
        picture = picture_formats.cleaned(data)
        width, height = picture_formats.size_of(picture)
        if max(width, height) > MAX_SIDE:
            raise InvalidInput(
                gettext("The picture may be at most %(side)d pixels wide and high.") % {"side": MAX_SIDE}
            )
        values = {
            "format": picture.format,
            "digest": hashlib.sha256(picture.data).hexdigest(),
            "data": picture.data,
            "changed_at": timezone.now(),
        }
        return cls.objects.update_or_create(namespace=namespace, defaults=values)[0]

    @classmethod
    def drop(cls, namespace: Namespace) -> None:
        """Go back to the letter."""
        cls.objects.filter(namespace=namespace).delete()
