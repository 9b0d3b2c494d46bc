"""What a comparison of two sets of weights found, kept by their content."""

from django.db import models

from portal.models import Job


class TensorComparison(models.Model):
    """How far the tensors of one set of safetensors files are from those of another.

    `key` is a digest of both sets; it opens nothing: pages come to it through revisions that their reader may download.
    `changes` maps the name of a tensor that differs to [share of its numbers that differ, relative distance or null].
    """

    key = models.CharField(max_length=64, unique=True)
    changes = models.JSONField(default=dict)
    bytes_read = models.BigIntegerField(default=0)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key
