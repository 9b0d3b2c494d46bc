"""By which chunks clients find out what they need not send."""

from django.db import models

from models_hub.models.contents import Xorb


class KnownChunk(models.Model):
    """A chunk of a file that clients may ask for: its first one, or one whose hash is a multiple of 1,024."""

    hash = models.CharField(max_length=64, db_index=True)
    xorb = models.ForeignKey(Xorb, models.CASCADE, related_name="known_chunks")
    index = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("xorb", "index"), name="known_chunk_once"),)

    def __str__(self) -> str:
        return f"{self.xorb_id}[{self.index}]"
