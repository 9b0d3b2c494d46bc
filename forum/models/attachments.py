"""Attachments: pictures that people show in conversations, and where each is shown."""

from django.db import models

from forum.models.posts import Post
from portal.models import User


class Attachment(models.Model):
    """A picture under an address that nobody can guess; its bytes lie in the store of attachments by their sha256.

    Who knows the address sees the picture: it belongs to no repository, so that nothing else can be asked.
    """

    class Format(models.TextChoices):
        PNG = "png"
        JPEG = "jpg"
        GIF = "gif"
        WEBP = "webp"

    key = models.CharField(max_length=43, unique=True)
    format = models.CharField(max_length=4, choices=Format.choices)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveIntegerField()
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="attachments")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    posts = models.ManyToManyField(Post, related_name="attachments")

    class Meta:
        indexes = (
            models.Index(fields=("owner", "created_at"), name="attachment_of_day"),
            models.Index(fields=("created_at",), name="attachment_created"),
        )

    def __str__(self) -> str:
        return f"{self.key}.{self.format}"

    @property
    def path(self) -> str:
        return f"/uploads/{self.key}.{self.format}"

    @property
    def content_type(self) -> str:
        return "image/jpeg" if self.format == self.Format.JPEG else f"image/{self.format}"
