"""Web push: browsers that show what their owner is told while no page of the portal is open."""

from django.db import models
from django.utils import timezone

from portal.models.accounts import User


class PushDevice(models.Model):
    """A browser that its owner asked to be called. Its address is a secret that the browser's maker has given out."""

    user = models.ForeignKey(User, models.CASCADE, related_name="push_devices")
    endpoint = models.CharField(max_length=1000)
    digest = models.CharField(max_length=64, unique=True)  # of the address: a browser belongs to who asked last
    public_key = models.CharField(max_length=90)
    auth = models.CharField(max_length=30)
    server_key = models.CharField(max_length=90)  # ours, which the browser was told: it takes messages of no other
    agent = models.CharField(max_length=300, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # messages in a row that did not arrive
    why = models.CharField(max_length=300, blank=True)  # the last of them did not
    created_at = models.DateTimeField(default=timezone.now)
    reached_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"a device of {self.user_id}"


class Push(models.Model):
    """A message on its way to a device: which rows of the inbox it tells of, none for a trial. Gone when it is over."""

    device = models.ForeignKey(PushDevice, models.CASCADE, related_name="pushes")
    rows = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=("not_before",), name="push_due"),)

    def __str__(self) -> str:
        return f"message {self.pk} to device {self.device_id}"
