"""Badges: what counts towards them, who was given them on what evidence, and what people confirm by hand."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import User


class Tier(models.IntegerChoices):
    """How much of it was done."""

    BRONZE = 1, _("bronze")
    SILVER = 2, _("silver")
    GOLD = 3, _("gold")


class EvidenceQuerySet(models.QuerySet["BadgeEvidence"]):
    def standing(self) -> "EvidenceQuerySet":
        return self.filter(void_at__isnull=True)

    def settled(self) -> "EvidenceQuerySet":
        """What has stood for long enough to count."""
        return self.standing().filter(settles_at__lte=timezone.now())

    def due(self) -> "EvidenceQuerySet":
        """What has settled since its person was last looked at."""
        return self.settled().filter(counted_at__isnull=True)


class BadgeEvidence(models.Model):
    """One thing that counts towards one badge of one person, until it is void. `key` is one of portal/subjects.py."""

    user = models.ForeignKey(User, models.CASCADE, related_name="badge_evidence")
    badge = models.CharField(max_length=30)
    key = models.CharField(max_length=60)
    amount = models.PositiveIntegerField(default=1)
    is_solo = models.BooleanField(default=True)  # of the person alone, not of an organization
    at = models.DateTimeField()
    settles_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True, blank=True)
    void_at = models.DateTimeField(null=True, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "badge", "key"), name="badge_evidence_once"),)
        indexes = (
            models.Index(
                fields=("settles_at",),
                name="badge_evidence_due",
                condition=Q(counted_at__isnull=True, void_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.key} for {self.badge} of {self.user_id}"


class GrantQuerySet(models.QuerySet["BadgeGrant"]):
    def standing(self) -> "GrantQuerySet":
        return self.filter(revoked_at__isnull=True)


class BadgeGrant(models.Model):
    """A person has a tier of a badge: `evidence` is the key of what reached it. Revoked, it stays as a row."""

    user = models.ForeignKey(User, models.CASCADE, related_name="badge_grants")
    badge = models.CharField(max_length=30)
    tier = models.PositiveSmallIntegerField(choices=Tier.choices)
    evidence = models.CharField(max_length=60)
    is_solo = models.BooleanField(default=True)
    granted_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)  # of the revocation; English, translated where it is shown

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "badge", "tier", "evidence"), name="badge_grant_once"),)
        indexes = (
            models.Index(fields=("badge", "-id"), name="badge_holders", condition=Q(revoked_at__isnull=True)),
            models.Index(fields=("user", "-tier"), name="badges_of_user", condition=Q(revoked_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.badge} {self.tier} of {self.user_id}"


class ClaimQuerySet(models.QuerySet["BadgeClaim"]):
    def waiting(self) -> "ClaimQuerySet":
        return self.filter(state=BadgeClaim.State.WAITING)

    def accepted(self) -> "ClaimQuerySet":
        return self.filter(state=BadgeClaim.State.ACCEPTED)


class BadgeClaim(models.Model):
    """Somebody says to have done what no row of the portal shows, and another person confirms it or does not."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    user = models.ForeignKey(User, models.CASCADE, related_name="badge_claims")
    badge = models.CharField(max_length=30)
    # What it is about: a key of portal/subjects.py, which the claim is shown with to those who may see that.
    key = models.CharField(max_length=60)
    note = models.CharField(max_length=500)
    is_private = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "badge", "key"),
                condition=Q(state__in=("waiting", "accepted")),
                name="badge_claim_once",
            ),
        )
        indexes = (models.Index(fields=("state", "id"), name="badge_claims_waiting"),)

    def __str__(self) -> str:
        return f"{self.badge} claimed by {self.user_id}"


class MentorshipQuerySet(models.QuerySet["Mentorship"]):
    def agreed(self) -> "MentorshipQuerySet":
        return self.filter(agreed_at__isnull=False)


class Mentorship(models.Model):
    """An experienced person looks after a newcomer: one offers it, and it begins when the newcomer agrees."""

    mentor = models.ForeignKey(User, models.CASCADE, related_name="mentees")
    mentee = models.ForeignKey(User, models.CASCADE, related_name="mentors")
    mentee_level = models.PositiveSmallIntegerField(default=0)  # when it began
    created_at = models.DateTimeField(default=timezone.now)
    agreed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MentorshipQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("mentor", "mentee"), name="mentorship_once"),
            models.CheckConstraint(condition=~Q(mentor=models.F("mentee")), name="mentorship_of_two"),
        )

    def __str__(self) -> str:
        return f"{self.mentor_id} looks after {self.mentee_id}"


class Recheck(models.Model):
    """Somebody is to be looked at again: for a badge, for the ledger, or for trust. Many events make one row."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    what = models.CharField(max_length=40)
    due_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "what"), name="recheck_once"),)
        indexes = (models.Index(fields=("due_at",), name="recheck_due"),)

    def __str__(self) -> str:
        return f"{self.what} of {self.user_id}"
