"""What anybody may propose and moderators decide on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.models import User


class Standing(models.TextChoices):
    """What moderators said of a proposal."""

    PROPOSED = "proposed", _("waits for review")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")


class Reviewed(models.Model):
    """A benchmark or a suite: the decision about it, and for a refused one why."""

    MAX_REASON = 1000

    # What was there before there were reviews was made by staff, or is in use.
    standing = models.CharField(max_length=10, choices=Standing.choices, default=Standing.APPROVED)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def is_proposed(self) -> bool:
        return self.standing == Standing.PROPOSED

    @property
    def is_approved(self) -> bool:
        return self.standing == Standing.APPROVED

    @property
    def is_refused(self) -> bool:
        return self.standing == Standing.REFUSED
