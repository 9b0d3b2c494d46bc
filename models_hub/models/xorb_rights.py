"""Who may make files of a xorb without sending its bytes again."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from models_hub.models.contents import Xorb
from portal.models import AccessToken, User
from portal.reach import reach_of


class XorbRight(models.Model):
    """A person's right to a xorb whose bytes that person sent.

    `renewed_at` is the last upload. Clients remember what they sent for three weeks and refer to it without asking,
    so what a right was renewed for lately must not be collected.
    """

    xorb = models.ForeignKey(Xorb, models.CASCADE, related_name="rights")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    # A limited token has only what was sent with it: an app must not reach what its user keeps elsewhere.
    access = models.ForeignKey(AccessToken, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    renewed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("xorb", "user", "access"), name="xorb_right_once"),)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.xorb_id}"

    @classmethod
    def renew(cls, xorb: Xorb, *, user: User, access: AccessToken | None) -> bool:
        """Record that the user has sent the xorb; returns whether for the first time."""
        first = not cls.objects.filter(xorb=xorb, user=user).exists()
        if not cls.objects.filter(xorb=xorb, user=user, access=access).update(renewed_at=timezone.now()):
            cls.objects.create(xorb=xorb, user=user, access=access)
        return first

    @staticmethod
    def of(user: User, access: AccessToken | None) -> Q:
        """Return the condition for the user's rights, as far as the token that speaks for the user reaches."""
        reach = reach_of(user)
        return Q(user=user) if reach is None or reach.everywhere else Q(user=user, access=access)
